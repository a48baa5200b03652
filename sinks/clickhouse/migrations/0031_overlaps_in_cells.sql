-- Who was in the same cells of the grid with one person at all: what settled_companions_by_cell answers under a rule without
-- a minimum, in few columns and in less than half of the time, for most of that is its text (docs/decisions/0017-settled-rules.md).

CREATE OR REPLACE VIEW settled_overlaps_in_cells AS
WITH
    toFixedString(unhex({person_token:String}), 16) AS case_token,
    {{include:span_in_ms}},
    (
        SELECT {{include:cells_of_stays}}
        FROM
        (
            {{include:settled_stays_at_venues}}
        ) AS s
        INNER JOIN (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m != '') AS v ON s.venue_id = v.venue_id
    ) AS mine,
    -- Each of these stays, at every venue of its cell, once for every half-hour in which somebody may have come who met them.
    near AS
    (
        {{include:slots_in_cells}}
        INNER JOIN
        (
            SELECT v.cell AS cell, v.place_key AS place_key, r.slots AS slots
            FROM
            (
                SELECT cell_800m AS cell, cityHash64(concat('venue:', venue_id)) AS place_key
                FROM venues FINAL
                WHERE cell_800m IN mine.1
            ) AS v
            INNER JOIN (SELECT * FROM place_reach FINAL) AS r ON v.place_key = r.place_key
        ) AS p ON c.cell = p.cell
    )
{{include:settled_overlaps_in_cells_found}};
