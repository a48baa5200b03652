-- Contacts of contacts until the contact was isolated: at a time that is given, where their status does not tell it.

CREATE OR REPLACE VIEW contact_chain AS
WITH
    {{include:dwell_mode}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    {{include:asked}},
    (
        SELECT arrayMap(
            each -> (toFixedString(unhex(substring(each, 1, 32)), 16), parseDateTime64BestEffort(substring(each, 34), 3, 'UTC')),
            arrayFilter(each -> each != '', splitByChar(',', ifNull({isolated:Nullable(String)}, ''))))
    ) AS isolations,
    rules AS (SELECT asked AS rule, span_begin AS rule_begin, span_end AS rule_end),
    (
        WITH
{{include:one_case}}
{{include:others}},
            ended AS ({{include:dwell_stays}}),
            pieces AS ({{include:pairs}})
        SELECT groupArray((contact_token, first_meeting, toUInt64(intDiv(counted_ms, 1000)), last_meeting, case_dwells, contact_dwells))
        FROM ({{include:contacts_of_cases}})
    ) AS first_degree,
    cases AS
    (
        SELECT
            f.person_token AS person_token, f.case_begin AS case_begin,
            arrayMin(arrayConcat(
                arrayFilter(red -> red > case_begin, h.reds), [span_end],
                arrayMap(each -> each.2, arrayFilter(each -> each.1 = f.person_token, isolations)))) AS case_end
        FROM (SELECT arrayJoin(first_degree) AS found, found.1 AS person_token, found.2 AS case_begin) AS f
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
        SELECT * FROM ({{include:pairs}})
        WHERE contact_token != toFixedString(unhex({person_token:String}), 16)
            AND contact_token NOT IN (SELECT arrayJoin(first_degree).1)
    )
SELECT 1 AS degree, lower(hex(found.1)) AS contact, '' AS via, found.3 AS counted_s, found.2 AS first_meeting, found.4 AS last_meeting,
    found.5 AS person_dwells, found.6 AS contact_dwells
FROM (SELECT arrayJoin(first_degree) AS found)
UNION ALL
SELECT
    2 AS degree, lower(hex(contact_token)) AS contact, lower(hex(case_token)) AS via,
    toUInt64(intDiv(counted_ms, 1000)) AS counted_s, first_meeting, last_meeting,
    case_dwells AS person_dwells, contact_dwells
FROM ({{include:contacts_of_cases}})
COMMENT 'Tracers. Contacts of one person (degree 1), and their contacts (degree 2) from the first meeting on until the contact was isolated: turned red, or at the time given, or until. The person and the first degree are not second. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given), dwell (best unless given), isolated (nobody unless given; text: 32 hex digits, a blank and an instant for each contact, joined by commas). Columns: degree (1 or 2), contact, via (32 hex digits: the contact of degree 1; empty in degree 1), counted_s (s: what the rule holds against its minimum), first_meeting, last_meeting (instants), person_dwells and contact_dwells (what the stays rest on)';
