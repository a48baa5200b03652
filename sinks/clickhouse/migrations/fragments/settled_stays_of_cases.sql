-- The settled stays of `cases`.
SELECT * FROM settled_stays FINAL
                WHERE person_token IN (SELECT person_token FROM cases)
                    AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                    AND scanned_at < {until:DateTime64(3, 'UTC')}
