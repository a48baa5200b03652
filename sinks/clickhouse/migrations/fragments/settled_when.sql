-- `at`: until when stays were settled last (1970 where nothing is, or when a category has other minutes than then), and when
-- the earliest scan was made that was stored late since.
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
