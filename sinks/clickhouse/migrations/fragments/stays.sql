-- Entries with their stays, out of a relation `scans`; the meaning is in docs/co-presence.md. `scans` holds, for every
-- entry that matters, all scans of that person in the 24 h after it.
-- Walking back in time, `later` is everything the person did after a scan. Scans with equally many later entries are one
-- entry and the leaves that follow it before the next entry.
SELECT
    *,
    multiIf(
        dwell = 'explicit', explicit_left_at,
        dwell = 'next_scan', next_entry_at,
        scanned_at + toIntervalMinute(default_minutes)) AS left_at
FROM
(
    SELECT
        *,
        multiIf(
            explicit_left_at >= scanned_at AND explicit_left_at <= scanned_at + toIntervalHour(24), 'explicit',
            next_entry_at >= scanned_at AND next_entry_at <= scanned_at + toIntervalMinute(max_minutes), 'next_scan',
            'default') AS dwell
    FROM
    (
        SELECT
            *,
            minIf(scanned_at, direction = 'leave')
                OVER (PARTITION BY person_token, later_entries, venue_id) AS explicit_left_at
        FROM
        (
            SELECT
                s.*,
                if(c.default_stay_minutes = 0, 60, c.default_stay_minutes) AS default_minutes,
                if(c.max_stay_minutes = 0, 240, c.max_stay_minutes) AS max_minutes,
                countIf(direction = 'enter') OVER later AS later_entries,
                anyLastIf(scanned_at, direction = 'enter') OVER later AS next_entry_at
            FROM scans AS s
            LEFT JOIN (SELECT category, default_stay_minutes, max_stay_minutes FROM venue_categories FINAL) AS c
                ON s.category = c.category
            WINDOW later AS
            (
                PARTITION BY person_token
                ORDER BY scanned_at DESC, source_topic DESC, source_partition DESC, source_offset DESC
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            )
        )
    )
    WHERE direction = 'enter'
)
