-- Questions about more than one person or rule (docs/co-presence.md).

-- One case under every rule but those about cells and about contacts of contacts, each with its own span round `anchor`.
CREATE OR REPLACE VIEW rule_comparison AS
WITH
{{include:one_case}}
    {{include:dwell_mode}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    ('', 0, 'venue') AS asked,
    rules AS
    (
        SELECT
            {{include:rule}} AS rule,
            greatest({since:DateTime64(3, 'UTC')}, {anchor:DateTime64(3, 'UTC')} - toIntervalDay(toUInt32OrZero(lookback_days))) AS rule_begin,
            least({until:DateTime64(3, 'UTC')}, if(lookahead_days = 'until_isolated', {until:DateTime64(3, 'UTC')},
                {anchor:DateTime64(3, 'UTC')} + toIntervalDay(toUInt32OrZero(lookahead_days)))) AS rule_end
        FROM contact_rules FINAL
        WHERE place != 'cell_800m' AND lookback_days != 'from_first_meeting'
        ORDER BY rule_id, origin = 'operator' DESC, version DESC
        LIMIT 1 BY rule_id
    ),
{{include:others}},
    ended AS ({{include:dwell_stays}}),
    pieces AS ({{include:pairs}})
SELECT
    rule.1 AS rule_id, rule.2 AS rule_version, lower(hex(contact_token)) AS contact,
    toUInt64(intDiv(overlap_ms, 1000)) AS overlap_s,
    toUInt64(intDiv(counted_ms, 1000)) AS counted_s,
    toUInt64(intDiv(direct_ms, 1000)) AS direct_s,
    first_meeting, last_meeting, meetings, indirect, venues,
    case_dwells AS person_dwells, contact_dwells, late
FROM ({{include:contacts_of_cases}})
ORDER BY rule_id, overlap_s DESC, contact
COMMENT 'Tracers. One case under every rule side by side, each from anchor - lookback to anchor + lookahead, within [since, until). Parameters: person_token (32 hex digits), anchor (instant: onset or sampling), since, until (instants, UTC; until: isolation), dwell (best unless given). Columns: rule_id, rule_version, and those of contacts_of';

-- Contacts, and contacts of contacts: each from the first meeting of the case with that contact to their isolation.
CREATE OR REPLACE VIEW contact_chain AS
WITH
    {{include:dwell_mode}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    {{include:asked}},
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
            arrayMin(arrayFilter(red -> red > case_begin, arrayPushBack(h.reds, span_end))) AS case_end
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
COMMENT 'Tracers. Contacts of one person (degree 1), and their contacts (degree 2) from the first meeting on until the contact was isolated: turned red, or until. The person and the first degree are not second. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given), dwell (best unless given). Columns: degree (1 or 2), contact, via (32 hex digits: the contact of degree 1; empty in degree 1), counted_s (s: what the rule holds against its minimum), first_meeting, last_meeting (instants), person_dwells and contact_dwells (what the stays rest on)';

-- Where several of the cases were at the same time: stretches that their stays at one place cover without a gap.
CREATE OR REPLACE VIEW candidate_sources AS
WITH
    {{include:dwell_mode}},
    scans AS
    (
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE person_token IN (SELECT toFixedString(unhex(arrayJoin({person_tokens:Array(String)})), 16))
            AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
            AND scanned_at <= {until:DateTime64(3, 'UTC')} + toIntervalHour(24)
    )
SELECT
    place, min(venue_id) AS venue_id, min(begins_at) AS shared_from, max(ends_at) AS shared_until,
    toUInt32(uniqExact(person_token)) AS cases, arraySort(groupUniqArray(lower(hex(person_token)))) AS people,
    arraySort(groupUniqArray(dwell)) AS dwells
FROM
(
    SELECT *, countIf(begins_at > covered_until) OVER
        (PARTITION BY place ORDER BY begins_at, ends_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS stretch
    FROM
    (
        SELECT *, max(ends_at) OVER
            (PARTITION BY place ORDER BY begins_at, ends_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_until
        FROM
        (
            SELECT
                person_token, place, venue_id, dwell,
                greatest(scanned_at, {since:DateTime64(3, 'UTC')}) AS begins_at,
                least(left_at, {until:DateTime64(3, 'UTC')}) AS ends_at
            FROM ({{include:dwell_stays}})
            WHERE direction = 'enter' AND begins_at < ends_at
        )
    )
)
GROUP BY place, stretch
HAVING cases > 1
ORDER BY cases DESC, shared_from, place
COMMENT 'Tracers. Backward tracing: places and times that several of the cases shared, most cases first. Parameters: person_tokens (array of 32 hex digits), since, until (instants, UTC), dwell (best unless given). Columns: place (key: venue or trip), venue_id, shared_from and shared_until (instants: the stretch that their stays cover without a gap), cases (number), people (32 hex digits each), dwells (what the stays rest on)';

-- What an answer about one person rests on.
CREATE OR REPLACE VIEW coverage AS
WITH
    {{include:dwell_mode}},
    {{include:scans_of_person}}
SELECT
    toUInt32(countIf(dwell != '')) AS stays,
    toUInt32(countIf(dwell = 'explicit')) AS explicit_stays,
    toUInt32(countIf(dwell = 'next_scan')) AS next_scan_stays,
    toUInt32(countIf(dwell IN ('default', 'max_stay'))) AS assumed_stays,
    if(stays = 0, NULL, assumed_stays / stays) AS assumed_share,
    toUInt32(countIf(direction = 'enter' AND dwell = '')) AS entries_without_stay,
    toUInt32(countIf(has(flags, 'late'))) AS late_scans,
    toUInt32(countIf(notEmpty(flags))) AS flagged_scans,
    (SELECT if(count() = 0, NULL, min(scanned_at)) FROM visits) AS stored_from,
    (SELECT if(count() = 0, NULL, max(scanned_at)) FROM visits) AS stored_until
FROM ({{include:dwell_stays}})
WHERE scanned_at < {until:DateTime64(3, 'UTC')}
    AND (left_at > {since:DateTime64(3, 'UTC')} OR scanned_at >= {since:DateTime64(3, 'UTC')})
COMMENT 'Tracers. What an answer about one person in [since, until) rests on; nothing found is no proof that nothing was there. Parameters: person_token (32 hex digits), since, until (instants, UTC), dwell (best unless given). Columns: stays, of which explicit_stays, next_scan_stays and assumed_stays (by default or the longest stay); assumed_share (0 to 1); entries_without_stay (mode explicit: nobody scanned the leave); late_scans and flagged_scans (counted in the answer as well); stored_from and stored_until (instants: of the first and the last scan stored, of anybody)';
