-- A version of a rule can be asked for by name: `who@1` wherever a view takes `rule_id`. Each version is stored a second
-- time under that name, where every view finds it as it finds a rule; what lists the rules, or compares all of them, passes
-- these over.

INSERT INTO contact_rules (* EXCEPT loaded_at)
SELECT concat(rule_id, '@', toString(version)), * EXCEPT (rule_id, loaded_at)
FROM contact_rules FINAL
WHERE position(rule_id, '@') = 0;

CREATE OR REPLACE VIEW contact_rule_versions
(
    rule_id String COMMENT 'id: of the rule',
    version UInt32 COMMENT 'number: of this definition; the highest of an origin is the newest',
    origin String COMMENT 'shipped or operator: who added it',
    name_zh String COMMENT 'text: name in Chinese',
    name_en String COMMENT 'text: name in English',
    place String COMMENT 'venue, venue_or_trip, point or cell_800m: what counts as one place',
    by_carriage Bool COMMENT 'true: on a trip, two known and different carriages do not meet',
    seat_rows Nullable(UInt8) COMMENT 'rows: on a trip, known rows further apart do not meet; null: rows do not matter',
    overlap String COMMENT 'interval: stays overlap; instant: an entry lies strictly inside a stay or window',
    min_minutes UInt32 COMMENT 'min: shortest time together',
    strict Bool COMMENT 'true: more than min_minutes; false: at least',
    sum_over String COMMENT 'single_meeting, rolling_24h or calendar_day: what the minutes are summed over',
    lookback_days Nullable(UInt32) COMMENT 'd: before onset or sampling; null: from the first meeting of the case and the contact',
    from_first_meeting Bool COMMENT 'true: a rule for contacts of contacts, from the first meeting on',
    lookahead_days Nullable(UInt32) COMMENT 'd: after onset or sampling; null: until isolation',
    tail_minutes UInt32 COMMENT 'min: after a stay of the case ends, at most, in which a later arrival counts; never longer than the stay',
    companion_hours Nullable(UInt16) COMMENT 'h: either party is in the cell for more than this; null: no such clause',
    companion_days Nullable(UInt16) COMMENT 'd: in which companion_hours are summed; null: no such clause',
    extra String COMMENT 'text: what else the rule says',
    source_note String COMMENT 'text: where the rule was published',
    loaded_at DateTime64(3, 'UTC') COMMENT 'instant: when it was added'
)
AS SELECT
    rule_id, version, origin, name_zh, name_en, place, by_carriage, seat_rows, overlap, min_minutes, strict, sum_over,
    toUInt32OrNull(lookback_days) AS lookback_days, r.lookback_days = 'from_first_meeting' AS from_first_meeting,
    toUInt32OrNull(lookahead_days) AS lookahead_days, toUInt32OrZero(extract(indirect_tail, '\\d+')) AS tail_minutes,
    companion_hours, companion_days, extra, source_note, loaded_at
FROM (SELECT * FROM contact_rules FINAL WHERE position(rule_id, '@') = 0) AS r
COMMENT 'Every version of every definition of a contact';

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
            FROM ({{include:compared_rules_in_force}})
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
            FROM ({{include:compared_rules_in_force}})
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
            FROM ({{include:compared_rules_in_force}})
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
