-- The rules that were left out: companions in a cell and contacts of contacts stand beside the others in
-- rule_comparison, and the clause about hours in the cell can be asked for (docs/co-presence.md).

CREATE OR REPLACE VIEW rule_comparison AS
SELECT *
FROM
(
    WITH
{{include:one_case}}
        {{include:dwell_mode}},
        {since:DateTime64(3, 'UTC')} AS span_begin,
        {until:DateTime64(3, 'UTC')} AS span_end,
        {{include:city_zone}},
        ('', 0, 'venue') AS asked,
        rules AS
        (
            SELECT rule, anchored_begin AS rule_begin, anchored_end AS rule_end
            FROM ({{include:compared_rules}})
            WHERE rule_place != 'cell_800m' AND rule_lookback != 'from_first_meeting'
        ),
{{include:others}},
        ended AS ({{include:dwell_stays}}),
        pieces AS ({{include:pairs}})
    {{include:compared_columns}}, '' AS via
    FROM ({{include:contacts_of_cases}})

    UNION ALL

    WITH
{{include:one_case}}
        {{include:dwell_mode}},
        {since:DateTime64(3, 'UTC')} AS span_begin,
        {until:DateTime64(3, 'UTC')} AS span_end,
        {{include:city_zone}},
        rules AS
        (
            SELECT rule, anchored_begin AS rule_begin, anchored_end AS rule_end
            FROM ({{include:compared_rules}})
            WHERE rule_place = 'cell_800m' AND rule_lookback != 'from_first_meeting'
        ),
{{include:near_in_cells}},
        ended AS ({{include:dwell_stays}}),
        pieces AS ({{include:pairs}})
    {{include:compared_columns}}, '' AS via
    FROM ({{include:contacts_of_cases}})

    UNION ALL

    WITH
        {{include:dwell_mode}},
        {since:DateTime64(3, 'UTC')} AS span_begin,
        {until:DateTime64(3, 'UTC')} AS span_end,
        {{include:city_zone}},
        ('', 0, 'venue') AS asked,
        rules AS
        (
            SELECT rule, span_begin AS rule_begin, span_end AS rule_end
            FROM ({{include:compared_rules}})
            WHERE rule_place != 'cell_800m' AND rule_lookback = 'from_first_meeting'
        ),
        (
            WITH
{{include:one_case}}
{{include:others}},
                ended AS ({{include:dwell_stays}}),
                pieces AS ({{include:pairs}})
            SELECT groupArray((contact_token, first_meeting, rule.1))
            FROM ({{include:contacts_of_cases}})
        ) AS first_degree,
        cases AS
        (
            SELECT
                f.rule_id AS rule_id, f.person_token AS person_token, f.case_begin AS case_begin,
                arrayMin(arrayFilter(red -> red > case_begin, arrayPushBack(h.reds, span_end))) AS case_end
            FROM (SELECT arrayJoin(first_degree) AS found, found.1 AS person_token, found.2 AS case_begin, found.3 AS rule_id) AS f
            LEFT JOIN
            (
                SELECT person_token, groupArray(valid_from) AS reds
                FROM health_changes FINAL
                WHERE colour = 'red' AND valid_from >= span_begin AND valid_from < span_end
                GROUP BY person_token
            ) AS h ON f.person_token = h.person_token
        ),
{{include:others}},
        ended AS ({{include:dwell_stays}}),
        pieces AS
        (
            SELECT * FROM ({{include:pairs_by_rule}})
            WHERE contact_token != toFixedString(unhex({person_token:String}), 16)
                AND (rule.1, contact_token) NOT IN (SELECT found.3, found.1 FROM (SELECT arrayJoin(first_degree) AS found))
        )
    {{include:compared_columns}}, lower(hex(case_token)) AS via
    FROM ({{include:contacts_of_cases}})
)
ORDER BY rule_id, overlap_s DESC, contact, via
COMMENT 'Tracers. One case under every rule side by side, each from anchor - lookback to anchor + lookahead, within [since, until); a rule that looks back to the first meeting names the contacts of contacts that contact_chain names. Parameters: person_token (32 hex digits), anchor (instant: onset or sampling), since, until (instants, UTC; until: isolation), dwell (best unless given). Columns: rule_id, rule_version, those of contacts_of, and via (32 hex digits: the contact they were met by; empty for contacts of the case)';

CREATE OR REPLACE VIEW companions_by_cell AS
WITH
{{include:one_case}}
    {{include:dwell_mode}},
    (
        SELECT if(throwIf(ifNull({hours_clause:Nullable(String)}, 'off') NOT IN ('on', 'off'), 'hours_clause must be on or off'),
            '', ifNull({hours_clause:Nullable(String)}, 'off'))
    ) AS hours_clause,
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    (
        SELECT if(throwIf(empty(found), 'there is no such contact rule; SELECT rule_id FROM all_contact_rules lists them')
            OR throwIf(found[1].3 != 'cell_800m', 'this rule is not about cells: ask contacts_of'), found[1], found[1])
        FROM
        (
            SELECT groupArray(rule) AS found
            FROM
            (
                SELECT {{include:cell_rule}} AS rule
                FROM contact_rules FINAL
                WHERE rule_id = ifNull({rule_id:Nullable(String)}, 'cn_spacetime_companion')
                ORDER BY origin = 'operator' DESC, version DESC
                LIMIT 1
            )
        )
    ) AS asked,
    rules AS (SELECT asked AS rule, span_begin AS rule_begin, span_end AS rule_end),
{{include:near_in_cells}},
    ended AS ({{include:dwell_stays}}),
    pairs AS ({{include:pairs}}),
    long_in_cells AS ({{include:long_in_cells}}),
    pieces AS
    (
        SELECT *
        FROM pairs
        WHERE hours_clause = 'off' OR asked.12 = 0
            OR (case_token, key) IN (SELECT person_token, cell FROM long_in_cells)
            OR (contact_token, key) IN (SELECT person_token, cell FROM long_in_cells)
    )
SELECT
    lower(hex(contact_token)) AS contact,
    toUInt64(intDiv(overlap_ms, 1000)) AS overlap_s,
    toUInt64(intDiv(counted_ms, 1000)) AS counted_s,
    toUInt64(intDiv(direct_ms, 1000)) AS direct_s,
    first_meeting, last_meeting, meetings, indirect, arraySort(arrayDistinct(pieces.1)) AS cells, venues,
    case_dwells AS person_dwells, contact_dwells, late, rule.1 AS rule_id, rule.2 AS rule_version
FROM ({{include:contacts_of_cases}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. Who was in one 800 m cell with a person, under a rule about cells. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (cn_spacetime_companion unless given), dwell (best unless given), hours_clause (off unless given; on: only where either of the two was in the cell for longer than the hours of the rule, in its days before until). Columns: those of contacts_of, and cells (ids: row and column of the grid)';
