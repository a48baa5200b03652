-- Stays that began in half-hours before it end where they were settled: what may change an end was made at most 24 h after
-- the beginning, so before the last settlement, and none of it was stored since. None where nothing is settled, or when a
-- category has other minutes than then.
    (
        SELECT toInt64(intDiv(toUnixTimestamp(min(at)), 1800)) - 48
        FROM
        (
            SELECT if(argMax(categories, number) =
                    (SELECT groupBitXor(cityHash64(category, default_stay_minutes, max_stay_minutes)) FROM venue_categories FINAL),
                max(until), toDateTime64(0, 3, 'UTC')) AS at
            FROM settlements
            UNION ALL
            SELECT minOrNull(scanned_at) AS at
            FROM late_scans
            WHERE stored_at >= (SELECT max(began_at) FROM settlements) AND notEmpty(people)
        )
    ) AS settled_slots
