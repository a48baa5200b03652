-- The stays of the person `case_token` at venues, not on trips.
SELECT venue_id, {{include:settled_times}}
            FROM settled_stays FINAL
            WHERE person_token = case_token AND vehicle = ''
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
