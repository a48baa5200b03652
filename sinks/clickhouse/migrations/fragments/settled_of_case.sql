-- The settled stays of the person `case_token`, and how far back others may have come to their places who were there still.
FROM settled_stays AS s FINAL
        INNER JOIN place_reach AS r ON s.place_key = r.place_key
        WHERE person_token = case_token
            AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
            AND scanned_at < {until:DateTime64(3, 'UTC')}
