-- Exposure windows under every rule, the 800 m grid, and statistics (docs/co-presence.md).

-- Per exposure window, everybody who entered strictly inside it (rule nz_window); all windows at once.
CREATE OR REPLACE VIEW exposed_in_windows AS
WITH
    0 AS slots_before,
    {{include:entries_in_windows}}
SELECT
    w.window_id AS window_id,
    lower(hex(v.person_token)) AS person_token,
    min(v.scanned_at) AS first_entry,
    max(v.scanned_at) AS last_entry,
    toUInt32(count()) AS entries
FROM near_windows AS v
INNER JOIN (SELECT window_id, venue_id, starts_at, ends_at FROM exposure_windows FINAL) AS w ON v.venue_id = w.venue_id
WHERE v.scanned_at > w.starts_at AND v.scanned_at < w.ends_at
GROUP BY w.window_id, v.person_token
COMMENT 'Tracers. Per exposure window, everybody who entered strictly inside it (rule nz_window). Columns: window_id, person_token (32 hex digits), first_entry and last_entry (instants), entries (number)';

-- The same under a rule of stays: the window is as a stay of a case at its venue.
CREATE OR REPLACE VIEW exposed_under_rule AS
WITH
    {{include:dwell_mode}},
    {{include:city_zone}},
    {{include:asked}},
    48 AS slots_before,
    {{include:entries_in_windows}},
    (SELECT min(starts_at) FROM exposure_windows) AS span_begin,
    (SELECT max(ends_at) FROM exposure_windows) AS span_end,
    scans AS
    (
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE (person_token, toDate(scanned_at)) IN
            (SELECT person_token, arrayJoin([toDate(scanned_at), toDate(scanned_at) + 1]) FROM near_windows)
    ),
    pieces AS
    (
        SELECT
            asked AS rule, venue_id AS key, w.window_id AS case_token, s.person_token AS contact_token, false AS in_tail,
            if(rule.4, s.scanned_at, greatest(s.scanned_at, w.starts_at)) AS begins_at,
            if(rule.4, s.scanned_at, least(s.left_at, w.ends_at)) AS ends_at,
            'window' AS case_dwell, if(rule.4, 'none', s.dwell) AS contact_dwell,
            (s.venue_id, s.vehicle, s.run, s.category, has(s.flags, 'late')) AS there
        FROM ({{include:dwell_stays}}) AS s
        INNER JOIN (SELECT window_id, venue_id, starts_at, ends_at FROM exposure_windows FINAL) AS w ON s.venue_id = w.venue_id
        WHERE direction = 'enter'
            AND if(asked.4, s.scanned_at > w.starts_at AND s.scanned_at < w.ends_at, begins_at < ends_at)
    )
SELECT
    {{include:exposed_columns}}
FROM ({{include:contacts_of_cases}})
ORDER BY window_id, overlap_s DESC, person_token
COMMENT 'Tracers. Per exposure window, everybody whose stay at its venue, or on a trip boarded there, satisfies a rule with it; a window leaves no tail. Parameters: rule_id (any_overlap unless given), dwell (best unless given). Columns: window_id, person_token (32 hex digits), overlap_s (s), counted_s (s: what the rule holds against its minimum), first_there and last_there (instants), times (number), dwells (what the stays rest on), late, rule_id, rule_version';

-- Who was in one 800 m cell with a person for more than 10 minutes (cn_spacetime_companion, without its clause of 30 h).
CREATE OR REPLACE VIEW companions_by_cell AS
WITH
{{include:one_case}}
    {{include:dwell_mode}},
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
                SELECT {{include:rule}} AS rule
                FROM contact_rules FINAL
                WHERE rule_id = ifNull({rule_id:Nullable(String)}, 'cn_spacetime_companion')
                ORDER BY origin = 'operator' DESC, version DESC
                LIMIT 1
            )
        )
    ) AS asked,
    rules AS (SELECT asked AS rule, span_begin AS rule_begin, span_end AS rule_end),
    mine AS
    (
        SELECT e.scanned_at AS scanned_at, v.cell_800m AS cell
        FROM
        (
            SELECT venue_id, scanned_at
            FROM visits FINAL
            WHERE person_token = toFixedString(unhex({person_token:String}), 16)
                AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
                AND direction = 'enter' AND vehicle = ''
        ) AS e
        INNER JOIN (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m != '') AS v ON e.venue_id = v.venue_id
    ),
    around AS (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m IN (SELECT cell FROM mine)),
    scans AS
    (
        SELECT s.* EXCEPT cell, if(s.vehicle = '', a.cell_800m, '') AS cell
        FROM
        (
            SELECT {{include:scan_columns}}
            FROM visits FINAL
            WHERE (person_token, toDate(scanned_at)) IN
                (
                    SELECT person_token, arrayJoin([toDate(scanned_at), toDate(scanned_at) + 1])
                    FROM visits_by_place
                    WHERE direction = 'enter'
                        AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
                        AND (place, slot) IN
                        (
                            SELECT concat('venue:', a.venue_id), m.slot
                            FROM around AS a
                            INNER JOIN
                            (
                                SELECT DISTINCT cell, arrayJoin(range(
                                    toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800) - 48),
                                    toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800) + 58))) AS slot
                                FROM mine
                            ) AS m ON a.cell_800m = m.cell
                        )
                )
                AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at <= span_end + toIntervalHour(24)
        ) AS s
        LEFT JOIN around AS a ON s.venue_id = a.venue_id
    ),
    ended AS ({{include:dwell_stays}}),
    pieces AS ({{include:pairs}})
SELECT
    lower(hex(contact_token)) AS contact,
    toUInt64(intDiv(overlap_ms, 1000)) AS overlap_s,
    toUInt64(intDiv(counted_ms, 1000)) AS counted_s,
    toUInt64(intDiv(direct_ms, 1000)) AS direct_s,
    first_meeting, last_meeting, meetings, indirect, arraySort(arrayDistinct(pieces.1)) AS cells, venues,
    case_dwells AS person_dwells, contact_dwells, late, rule.1 AS rule_id, rule.2 AS rule_version
FROM ({{include:contacts_of_cases}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. Who was in one 800 m cell with a person, under a rule about cells, without its clause about hours in the cell (cell_hours answers that). Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (cn_spacetime_companion unless given), dwell (best unless given). Columns: those of contacts_of, and cells (ids: row and column of the grid)';

-- How long people were in each cell: for the clause of more than 30 h in 14 days.
CREATE OR REPLACE VIEW cell_hours AS
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
    lower(hex(person_token)) AS person, v.cell_800m AS cell,
    intervalLengthSum(
        toUnixTimestamp64Milli(greatest(scanned_at, {since:DateTime64(3, 'UTC')})),
        toUnixTimestamp64Milli(least(left_at, {until:DateTime64(3, 'UTC')}))) / 3600000 AS hours,
    arraySort(groupUniqArray(dwell)) AS dwells
FROM ({{include:dwell_stays}}) AS s
INNER JOIN (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m != '') AS v ON s.venue_id = v.venue_id
WHERE direction = 'enter' AND vehicle = ''
    AND greatest(scanned_at, {since:DateTime64(3, 'UTC')}) < least(left_at, {until:DateTime64(3, 'UTC')})
GROUP BY person, cell
ORDER BY person, hours DESC, cell
COMMENT 'Tracers. How long people were in each cell of the 800 m grid; each instant once. Parameters: person_tokens (array of 32 hex digits), since, until (instants, UTC), dwell (best unless given). Columns: person (32 hex digits), cell (id: row and column of the grid), hours (h), dwells (what the stays rest on)';
