-- Out of the rule `asked`: the person's settled stays off vehicles as one constant, each with the venues of its cell where
-- anybody stayed. One is (1 cell, 2 begin, 3 end, 4 end of the tail, 5 dwell, 6 whether entries count and not stays,
-- 7 venues: id, place, half-hours of the longest stay there); times in ms since 1970. `near` has each once for every such
-- venue and half-hour in which somebody may have come there who was in the cell with the person: `m`, and where.
    (
        SELECT if(throwIf(ifNull({dwell:Nullable(String)}, 'best') NOT IN ('best', 'default'),
                'settled stays end by best or default; ask companions_by_cell for other ways'),
            [], groupArray((s.cell, begin, end, end + least(length, asked.8), dwell, asked.4, venues)))
        FROM
        (
            SELECT
                v.cell_800m AS cell, {{include:settled_dwell}} AS dwell,
                {{include:settled_length}} AS length,
                toUnixTimestamp64Milli(scanned_at) AS begin, begin + length AS end
            FROM
            (
                SELECT * FROM settled_stays FINAL
                WHERE person_token = toFixedString(unhex({person_token:String}), 16) AND vehicle = ''
                    AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                    AND scanned_at < {until:DateTime64(3, 'UTC')}
            ) AS s
            INNER JOIN (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m != '') AS v ON s.venue_id = v.venue_id
        ) AS s
        INNER JOIN
        (
            SELECT v.cell AS cell, groupArray((v.venue_id, v.place_key, r.slots)) AS venues
            FROM
            (
                SELECT venue_id, cell_800m AS cell, cityHash64(concat('venue:', venue_id)) AS place_key
                FROM venues FINAL
                WHERE cell_800m != ''
            ) AS v
            INNER JOIN (SELECT * FROM place_reach FINAL) AS r ON v.place_key = r.place_key
            GROUP BY cell
        ) AS a ON s.cell = a.cell
    ) AS stays_in_cells,
    near AS
    (
        SELECT
            arrayJoin(stays_in_cells) AS m, arrayJoin(m.7) AS there, there.2 AS place_key,
            arrayJoin(range(toUInt32(intDiv(m.2, 1800000) - there.3), toUInt32(intDiv(m.4, 1800000) + 1))) AS slot
    )
