-- Scans with the end of the stay that each entry begins, under `dwell_mode`, out of a relation `scans`; the meaning is in
-- docs/co-presence.md. `scans` holds, for every entry that matters, all scans of that person in the 24 h after it.
-- A round is the entries at one place in a row, and the leaves after them: it ends where the person enters elsewhere.
-- An entry without a stay (mode explicit, nobody scanned the leave) has no dwell and a stay of length zero.
SELECT
    *,
    multiIf(
        dwell = 'explicit', leave_at,
        dwell = 'next_scan', next_at,
        dwell = 'max_stay', scanned_at + toIntervalMinute(max_minutes),
        dwell = 'default', scanned_at + toIntervalMinute(default_minutes),
        scanned_at) AS left_at
FROM
(
    SELECT
        *,
        minIf(scanned_at, direction = 'enter')
            OVER (PARTITION BY person_token ORDER BY round RANGE BETWEEN 1 FOLLOWING AND 1 FOLLOWING) AS next_at,
        anyLastIf(scanned_at, direction = 'leave') OVER
        (
            PARTITION BY person_token, round, venue_id
            ORDER BY scanned_at DESC, source_topic DESC, source_partition DESC, source_offset DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS leave_at,
        multiIf(
            direction = 'leave', '',
            dwell_mode IN ('none', 'default'), dwell_mode,
            dwell_mode != 'next_scan' AND leave_at >= scanned_at AND leave_at <= scanned_at + toIntervalHour(24), 'explicit',
            dwell_mode = 'explicit', '',
            next_at >= scanned_at AND next_at <= scanned_at + toIntervalMinute(max_minutes), 'next_scan',
            dwell_mode = 'next_scan', 'max_stay',
            'default') AS dwell
    FROM
    (
        SELECT
            *,
            countIf(direction = 'enter' AND place != place_before) OVER
            (
                PARTITION BY person_token ORDER BY scanned_at, source_topic, source_partition, source_offset
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS round
        FROM
        (
            SELECT
                s.*,
                if(c.default_stay_minutes = 0, 60, c.default_stay_minutes) AS default_minutes,
                if(c.max_stay_minutes = 0, 240, c.max_stay_minutes) AS max_minutes,
                anyLastIf(place, direction = 'enter') OVER
                (
                    PARTITION BY person_token ORDER BY scanned_at, source_topic, source_partition, source_offset
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS place_before
            FROM scans AS s
            LEFT JOIN (SELECT category, default_stay_minutes, max_stay_minutes FROM venue_categories FINAL) AS c
                ON s.category = c.category
        )
    )
)
