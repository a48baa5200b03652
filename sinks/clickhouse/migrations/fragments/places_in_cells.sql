-- Every venue in a cell with all places of its cell where anybody stayed: (venue, place, half-hours of the longest stay).
SELECT arrayJoin(venues).1 AS venue_id, cell, venues
            FROM
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
            )
