-- Of the sample `part`, how many people satisfy the rule `asked` with a window.
{{include:sample_near_windows}},
    scans AS
    (
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE part > 0 AND person_token < sample_end
            AND (NOT by_place OR (person_token, toDate(scanned_at)) IN
                (SELECT person_token, arrayJoin([toDate(scanned_at), toDate(scanned_at) + 1]) FROM near_windows))
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at <= span_end + toIntervalHour(24)
    ),
    pieces AS
    (
        SELECT
            venue_id AS key, w.window_id AS case_token, s.person_token AS contact_token,
            if(asked.4, s.scanned_at, greatest(s.scanned_at, w.starts_at)) AS begins_at,
            if(asked.4, s.scanned_at, least(s.left_at, w.ends_at)) AS ends_at
        FROM ({{include:dwell_stays}}) AS s
        INNER JOIN windows AS w ON s.venue_id = w.venue_id
        WHERE direction = 'enter'
            AND if(asked.4, s.scanned_at > w.starts_at AND s.scanned_at < w.ends_at, begins_at < ends_at)
    )
{{include:people_named}}
