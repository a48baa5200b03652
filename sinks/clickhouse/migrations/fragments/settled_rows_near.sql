-- How and when the settled stays of those ended who may have met a case of `near`, and where they are read.
{{include:settled_dwell}} AS dwell,
                toUnixTimestamp64Milli(scanned_at) AS begin, begin + {{include:settled_length}} AS end
            FROM settled_stays_by_place FINAL
            PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM near)
            WHERE scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
