-- Out of settled stays, so as of the last settlement and sooner (docs/decisions/0017-settled-rules.md): who was in one 800 m
-- cell with a person, and one case under all rules side by side. With a rule's clause about hours in the cell it is a view of
-- its own, for its analysis costs as much as everything else.

CREATE OR REPLACE VIEW settled_companions_by_cell AS
WITH
    {{include:settled_companions_asked}},
    pieces AS
    (
        {{include:settled_pieces_by_rule}}
    )
SELECT
    {{include:settled_companion_columns}}
FROM ({{include:settled_contacts_by_rule}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What companions_by_cell answers without the clause of hours, as of the last settlement and sooner. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (cn_spacetime_companion unless given), dwell (best or default; best unless given). Columns: those of companions_by_cell';

CREATE OR REPLACE VIEW settled_companions_by_cell_hours AS
WITH
    {{include:settled_companions_asked}},
    together AS
    (
        {{include:settled_pieces_by_rule}}
    ),
    -- Cells in which the person, and others of `together`, were for longer than the hours of the rule.
    long_of_case AS
    (
        SELECT cityHash64(cell) AS place_key
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
        SELECT person_token, cityHash64(cell) AS place_key
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
        WHERE asked.12 = 0 OR place_key IN (SELECT place_key FROM long_of_case)
            OR (contact_token, place_key) IN (SELECT person_token, place_key FROM long_of_others)
    )
SELECT
    {{include:settled_companion_columns}}
FROM ({{include:settled_contacts_by_rule}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What companions_by_cell answers with hours_clause on, as of the last settlement and sooner: only where either of the two was in the cell for longer than the hours of the rule, in its days before until. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (cn_spacetime_companion unless given), dwell (best or default; best unless given). Columns: those of companions_by_cell';

CREATE OR REPLACE VIEW settled_rule_comparison AS
WITH
    {{include:city_zone}},
    {{include:days_of_span}},
    (
        SELECT groupArray((rule, toUnixTimestamp64Milli(anchored_begin), toUnixTimestamp64Milli(anchored_end)))
        FROM ({{include:compared_rules_in_force}})
        WHERE rule_place IN ('venue_or_trip', 'point', 'cell_800m') AND rule_lookback != 'from_first_meeting'
    ) AS rules,
{{include:settled_by_rule}},
    pieces AS
    (
        {{include:settled_pieces_by_rule}}
    )
{{include:compared_columns}}
FROM ({{include:settled_contacts_by_rule}})
ORDER BY rule_id, overlap_s DESC, contact
COMMENT 'Tracers. What rule_comparison answers, as of the last settlement and sooner: one case under every rule side by side, but those about venues alone, which settled stays know no answer to, and those about contacts of contacts, which settled_chain answers. Parameters: person_token (32 hex digits), anchor (instant: onset or sampling), since, until (instants, UTC; until: isolation), dwell (best or default; best unless given). Columns: those of rule_comparison without via'
