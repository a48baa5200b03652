-- How many people an answer would name, before it is asked for (docs/decisions/0014-size-before-action.md).

CREATE OR REPLACE VIEW contact_chain_estimate AS
WITH
    {{include:dwell_mode}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    {{include:asked}},
    toFixedString(unhex({person_token:String}), 16) AS index_token,
    (
        SELECT arrayMap(
            each -> (toFixedString(unhex(substring(each, 1, 32)), 16), parseDateTime64BestEffort(substring(each, 34), 3, 'UTC')),
            arrayFilter(each -> each != '', splitByChar(',', ifNull({isolated:Nullable(String)}, ''))))
    ) AS isolations,
    (
        SELECT groupArray((toFixedString(unhex(contact), 16), first_meeting))
        FROM contacts_of(
            person_token = {person_token:String}, since = {since:DateTime64(3, 'UTC')}, until = {until:DateTime64(3, 'UTC')},
            rule_id = {rule_id:Nullable(String)}, dwell = {dwell:Nullable(String)})
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
    350000 AS most_rows,
    {{include:estimate_share}},
    length(first_degree) AS known,
    known = 0 AS nothing_more
{{include:estimate_columns}}, toUInt64(known) AS first_degree_people
FROM (WITH {{include:chain_sample}})
COMMENT 'Tracers. How many people contact_chain would name, degree 1 and 2 together; names nobody. Degree 1 is counted, degree 2 counted among a random share of all people. Parameters: those of contact_chain, and share (0 to 1: of all people, how many to look at; a small city''s everybody, else some 120,000 visits, unless given). Columns: {{include:estimate_columns_said}}, first_degree_people (number: in degree 1, exact)';

CREATE OR REPLACE VIEW companions_by_cell_estimate AS
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
    {{include:asked_cells}},
    toFixedString(unhex({person_token:String}), 16) AS index_token,
    mine AS
    (
        SELECT e.scanned_at AS scanned_at, v.cell_800m AS cell
        FROM
        (
            SELECT venue_id, scanned_at
            FROM visits FINAL
            WHERE person_token = index_token
                AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
                AND direction = 'enter' AND vehicle = ''
        ) AS e
        INNER JOIN (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m != '') AS v ON e.venue_id = v.venue_id
    ),
    around AS (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m IN (SELECT cell FROM mine)),
    300000 AS most_rows,
    {{include:estimate_share}},
    0 AS known,
    false AS nothing_more
{{include:estimate_columns}}
FROM (WITH {{include:cell_sample}})
COMMENT 'Tracers. How many people companions_by_cell would name; names nobody. Counted among a random share of all people. Parameters: those of companions_by_cell, and share (0 to 1: of all people, how many to look at; a small city''s everybody, else some 120,000 visits, unless given). Columns: {{include:estimate_columns_said}}';

CREATE OR REPLACE VIEW exposed_in_windows_estimate AS
WITH
    0 AS slots_before,
    {{include:windows_asked}},
    2000000 AS most_rows,
    {{include:estimate_share_of_windows}},
    0 AS known,
    false AS nothing_more
{{include:estimate_columns}}
FROM (WITH {{include:window_entry_sample}})
COMMENT 'Tracers. How many people exposed_in_windows would name, each once; names nobody. Counted among a random share of all people, in a single window among everybody. Parameters: window_id (all windows unless given), share (0 to 1: of all people, how many to look at; a small city''s everybody, else some 120,000 visits, unless given). Columns: {{include:estimate_columns_said}}';

CREATE OR REPLACE VIEW exposed_under_rule_estimate AS
WITH
    {{include:dwell_mode}},
    {{include:city_zone}},
    {{include:asked}},
    48 AS slots_before,
    {{include:windows_asked}},
    2000000 AS most_rows,
    {{include:estimate_share_of_windows}},
    0 AS known,
    false AS nothing_more
{{include:estimate_columns}}
FROM (WITH {{include:window_stay_sample}})
COMMENT 'Tracers. How many people exposed_under_rule would name, each once; names nobody. Counted among a random share of all people, in a single window among everybody. Parameters: rule_id (any_overlap unless given), dwell (best unless given), window_id (all windows unless given), share (0 to 1: of all people, how many to look at; a small city''s everybody, else some 120,000 visits, unless given). Columns: {{include:estimate_columns_said}}';

-- As window_counts, under a rule.
CREATE OR REPLACE VIEW exposed_counts AS
{{include:windows_with_counts}}
(
    SELECT window_id, uniqExact(person_token) AS people, sum(times) AS entries
    FROM exposed_under_rule(rule_id = {rule_id:Nullable(String)}, dwell = {dwell:Nullable(String)})
    GROUP BY window_id
) AS e ON e.window_id = w.window_id
ORDER BY starts_at, window_id
COMMENT 'Tracers. Every exposure window with how many people satisfy a rule with it; window_counts under a rule. Parameters: rule_id (any_overlap unless given), dwell (best unless given). Columns: window_id, venue_id, title, starts_at and ends_at (instants), people (number), entries (number: meetings with the window, all people together)';

-- As coverage, of several people together.
CREATE OR REPLACE VIEW coverage_of_many AS
WITH
    {{include:dwell_mode}},
    scans AS
    (
        SELECT *, place
        FROM visits FINAL
        WHERE person_token IN (SELECT toFixedString(unhex(arrayJoin({person_tokens:Array(String)})), 16))
            AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
            AND scanned_at <= {until:DateTime64(3, 'UTC')} + toIntervalHour(24)
    )
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
COMMENT 'Tracers. What an answer about several people in [since, until) rests on, all of them together; nothing found is no proof that nothing was there. Parameters: person_tokens (array of 32 hex digits), since, until (instants, UTC), dwell (best unless given). Columns: those of coverage';
