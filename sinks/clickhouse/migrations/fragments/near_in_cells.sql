-- Who may have been in a cell of the grid with the person in [span_begin, span_end), and their scans with the cell of each.
    mine AS
    (
        SELECT e.scanned_at AS scanned_at, v.cell_800m AS cell
        FROM
        (
            SELECT venue_id, scanned_at
            FROM visits FINAL
            WHERE person_token = toFixedString(unhex({person_token:String}), 16)
                AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
                AND direction = 'enter' AND vehicle = ''
        ) AS e
        INNER JOIN (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m != '') AS v ON e.venue_id = v.venue_id
    ),
    around AS (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m IN (SELECT cell FROM mine)),
    scans AS
    (
        SELECT s.* EXCEPT cell, if(s.vehicle = '', a.cell_800m, '') AS cell
        FROM
        (
            SELECT {{include:scan_columns}}
            FROM visits FINAL
            WHERE (person_token, toDate(scanned_at)) IN
                (
                    SELECT person_token, arrayJoin([toDate(scanned_at), toDate(scanned_at) + 1])
                    FROM visits_by_place
                    WHERE direction = 'enter'
                        AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
                        AND (place, slot) IN
                        (
                            SELECT concat('venue:', a.venue_id), m.slot
                            FROM around AS a
                            INNER JOIN
                            (
                                SELECT DISTINCT cell, arrayJoin(range(
                                    toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800) - 48),
                                    toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800) + 58))) AS slot
                                FROM mine
                            ) AS m ON a.cell_800m = m.cell
                        )
                )
                AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at <= span_end + toIntervalHour(24)
        ) AS s
        LEFT JOIN around AS a ON s.venue_id = a.venue_id
    )
