-- Of the sample `part`, how many people were in a cell with the person: counted as the answer does. With `by_place` the
-- sample's scans are looked for in the venues `around`, else all of them are read.
scans AS
    (
        SELECT s.* EXCEPT cell, if(s.vehicle = '', a.cell_800m, '') AS cell
        FROM
        (
            SELECT {{include:scan_columns}}
            FROM visits FINAL
            WHERE part > 0
                AND
                (
                    person_token = index_token
                    OR (NOT by_place AND person_token < sample_end)
                    OR (by_place AND person_token < sample_end AND (person_token, toDate(scanned_at)) IN
                        (
                            SELECT person_token, arrayJoin([toDate(scanned_at), toDate(scanned_at) + 1])
                            FROM visits_by_place
                            WHERE by_place AND person_token < sample_end AND direction = 'enter'
                                AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
                                AND place IN (SELECT concat('venue:', venue_id) FROM around WHERE by_place)
                        ))
                )
                AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at <= span_end + toIntervalHour(24)
        ) AS s
        LEFT JOIN around AS a ON s.venue_id = a.venue_id
    ),
    ended AS ({{include:dwell_stays}}),
    pairs AS ({{include:sampled_pieces}}),
    long_in_cells AS ({{include:long_in_cells}}),
    pieces AS
    (
        SELECT *
        FROM pairs
        WHERE hours_clause = 'off' OR asked.12 = 0
            OR (case_token, key) IN (SELECT person_token, cell FROM long_in_cells)
            OR (contact_token, key) IN (SELECT person_token, cell FROM long_in_cells)
    )
{{include:people_named}}
