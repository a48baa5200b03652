-- Settled stays of those who may have met a case of `near`, and the case's own beside them.
FROM
        (
            SELECT
                place_key, slot, person_token, venue_id, vehicle, run, category, late, {{include:settled_within}},
                {{include:settled_dwell}} AS dwell,
                toUnixTimestamp64Milli(scanned_at) AS begin, begin + {{include:settled_length}} AS end
            FROM settled_stays_by_place FINAL
            PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM near)
            WHERE scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
        ) AS t
        INNER JOIN near AS m ON t.place_key = m.place_key AND t.slot = m.slot
