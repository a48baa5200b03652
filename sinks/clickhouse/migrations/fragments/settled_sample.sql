-- Where the settled stays of the sample `part` are read, those that may reach into [since, until).
FROM settled_stays FINAL
            WHERE part > 0 AND person_token < sample_end
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
