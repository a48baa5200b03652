-- Who was in one 800 m cell with a person, out of settled stays: what companions_by_cell answers, as of the last settlement
-- and sooner (docs/decisions/0017-settled-companions.md). With the rule's clause about hours it is a view of its own, for its
-- analysis costs as much as everything else.

CREATE OR REPLACE VIEW settled_companions_by_cell AS
WITH
    {{include:settled_companions_asked}},
    pieces AS
    (
        {{include:settled_pieces_in_cells}}
    )
SELECT
    {{include:settled_companion_columns}}
FROM ({{include:settled_contacts}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What companions_by_cell answers without the clause of hours, as of the last settlement and sooner. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (cn_spacetime_companion unless given), dwell (best or default; best unless given). Columns: those of companions_by_cell';

CREATE OR REPLACE VIEW settled_companions_by_cell_hours AS
WITH
    {{include:settled_companions_asked}},
    together AS
    (
        {{include:settled_pieces_in_cells}}
    ),
    -- Cells in which the person, and others of `together`, were for longer than the hours of the rule.
    long_of_case AS
    (
        SELECT cell
        FROM
        (
            {{include:settled_hours_in_cells}}
                AND person_token = toFixedString(unhex({person_token:String}), 16)
        )
        GROUP BY cell
        HAVING intervalLengthSum(begin_ms, end_ms) > asked.11
    ),
    long_of_others AS
    (
        SELECT person_token, cell
        FROM
        (
            {{include:settled_hours_in_cells}}
                AND person_token IN (SELECT contact_token FROM together)
        )
        GROUP BY person_token, cell
        HAVING intervalLengthSum(begin_ms, end_ms) > asked.11
    ),
    pieces AS
    (
        SELECT *
        FROM together
        WHERE asked.12 = 0 OR cell IN (SELECT cell FROM long_of_case)
            OR (contact_token, cell) IN (SELECT person_token, cell FROM long_of_others)
    )
SELECT
    {{include:settled_companion_columns}}
FROM ({{include:settled_contacts}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What companions_by_cell answers with hours_clause on, as of the last settlement and sooner: only where either of the two was in the cell for longer than the hours of the rule, in its days before until. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (cn_spacetime_companion unless given), dwell (best or default; best unless given). Columns: those of companions_by_cell';
