-- Scans made before it and stored by now were all there when stays were settled last: the last settlement's `until`, or the
-- earliest scan stored late since. 1970 where nothing is settled, or when a category has other minutes than then.
    (
        SELECT assumeNotNull(min(at))
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
    ) AS settled_at
