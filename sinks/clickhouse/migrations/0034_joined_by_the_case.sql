-- One person's contacts out of settled stays, without a table of all places or all venues kept in memory for each question: of
-- two sides a join keeps the one that comes second, and it is the person's stays now (docs/decisions/0015-settled-stays.md).

CREATE OR REPLACE VIEW settled_overlaps_of AS
WITH
    [toFixedString(unhex({person_token:String}), 16)] AS case_tokens,
    {{include:span_in_ms}},
{{include:settled_meetings_by_reach}}
{{include:settled_overlaps_found}};

CREATE OR REPLACE VIEW settled_contacts_of AS
WITH
    {{include:settled_contacts_asked}}
{{include:settled_case_by_reach}},
{{include:settled_contacts_found}};

CREATE OR REPLACE VIEW settled_overlaps_in_cells AS
WITH
    toFixedString(unhex({person_token:String}), 16) AS case_token,
    {{include:span_in_ms}},
    (
        SELECT {{include:cells_of_stays}}
        FROM (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m != '') AS v
        INNER JOIN
        (
            {{include:settled_stays_at_venues}}
        ) AS s ON s.venue_id = v.venue_id
    ) AS mine,
    -- Each of these stays, at every venue of its cell, once for every half-hour in which somebody may have come who met them.
    near AS
    (
        {{include:slots_in_cells}}
        INNER JOIN
        (
            SELECT v.cell AS cell, v.place_key AS place_key, r.slots AS slots
            FROM (SELECT * FROM place_reach FINAL) AS r
            INNER JOIN
            (
                SELECT cell_800m AS cell, cityHash64(concat('venue:', venue_id)) AS place_key
                FROM venues FINAL
                WHERE cell_800m IN (SELECT arrayJoin(mine.1))
            ) AS v ON v.place_key = r.place_key
        ) AS p ON c.cell = p.cell
    )
{{include:settled_overlaps_in_cells_found}};
