-- Who was with whom, under every rule and every way to end a stay (docs/co-presence.md). `rule_id` and `dwell` may be left
-- out: any_overlap and best.

CREATE OR REPLACE VIEW stays AS
WITH
    {{include:dwell_mode}},
    {{include:scans_of_person}}
SELECT
    lower(hex(person_token)) AS person_token, place, venue_id, point_id, vehicle, run, carriage, seat, category,
    scanned_at, left_at, dwell, flags
FROM ({{include:dwell_stays}}) AS s
WHERE dwell != '' AND scanned_at < {until:DateTime64(3, 'UTC')}
    AND (left_at > {since:DateTime64(3, 'UTC')} OR scanned_at >= {since:DateTime64(3, 'UTC')})
ORDER BY scanned_at, source_topic, source_partition, source_offset
COMMENT 'One person''s stays that reach into [since, until). Parameters: person_token (32 hex digits), since, until (instants, UTC), dwell (best unless given). Columns: scanned_at and left_at (instants, ms), dwell (what left_at rests on), place (key: venue or trip), ids of the venue, point and trip, category and flags (codes)';

CREATE OR REPLACE VIEW trajectory AS
WITH
    {{include:dwell_mode}},
    {{include:scans_of_person}}
SELECT
    scanned_at, if(dwell = '', NULL, left_at) AS left_at, dwell, direction, v.venue_id AS venue_id, n.name AS venue_name,
    category, area_code, point_id, vehicle, run, carriage, seat, lat, lon, colour, decision, channel, flags
FROM ({{include:dwell_stays}}) AS v
LEFT JOIN
(
    SELECT venue_id, name
    FROM venues FINAL
    WHERE venue_id IN
    (
        SELECT venue_id FROM visits
        WHERE person_token = toFixedString(unhex({person_token:String}), 16)
            AND scanned_at >= {since:DateTime64(3, 'UTC')} AND scanned_at < {until:DateTime64(3, 'UTC')}
    )
) AS n ON n.venue_id = v.venue_id
WHERE scanned_at >= {since:DateTime64(3, 'UTC')} AND scanned_at < {until:DateTime64(3, 'UTC')}
ORDER BY scanned_at, source_topic, source_partition, source_offset
COMMENT 'One person''s scans in [since, until), oldest first; entries with the end of their stay (left_at, instant) and what it rests on (dwell). Parameters: person_token (32 hex digits), since, until (instants, UTC), dwell (best unless given)';

CREATE OR REPLACE VIEW meetings_of AS
WITH
{{include:one_case}}
{{include:question}}
SELECT
    lower(hex(contact_token)) AS contact, key AS place,
    met.1 AS venue_id, met.2 AS vehicle, met.3 AS run, met.4 AS category,
    overlap_start, overlap_end, overlap_ms, indirect,
    arrayStringConcat(case_dwells, '+') AS person_dwell, arrayStringConcat(contact_dwells, '+') AS contact_dwell
FROM ({{include:meetings_of_cases}})
ORDER BY overlap_start, contact, place
COMMENT 'Each meeting of one person in [since, until), clipped to it. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given), dwell (best unless given). Columns: contact (32 hex digits), place (key), overlap_start and overlap_end (instants), overlap_ms (ms), indirect (true: the contact came after the person had left), person_dwell and contact_dwell (what the ends of their stays rest on)';

CREATE OR REPLACE VIEW contacts_of AS
WITH
{{include:one_case}}
{{include:question}}
SELECT
    lower(hex(contact_token)) AS contact,
    toUInt64(intDiv(overlap_ms, 1000)) AS overlap_s,
    toUInt64(intDiv(counted_ms, 1000)) AS counted_s,
    toUInt64(intDiv(direct_ms, 1000)) AS direct_s,
    first_meeting, last_meeting, meetings, indirect, venues,
    case_dwells AS person_dwells, contact_dwells, late, rule.1 AS rule_id, rule.2 AS rule_version
FROM ({{include:contacts_of_cases}})
ORDER BY overlap_s DESC, contact
{{include:contacts_of_said}};

CREATE OR REPLACE VIEW contacts_of_many AS
WITH
    cases AS
    (
        SELECT
            toFixedString(unhex(arrayJoin({person_tokens:Array(String)})), 16) AS person_token,
            {since:DateTime64(3, 'UTC')} AS case_begin, {until:DateTime64(3, 'UTC')} AS case_end
    ),
{{include:question}}
SELECT
    lower(hex(case_token)) AS person, lower(hex(contact_token)) AS contact,
    toUInt64(intDiv(overlap_ms, 1000)) AS overlap_s,
    toUInt64(intDiv(counted_ms, 1000)) AS counted_s,
    toUInt64(intDiv(direct_ms, 1000)) AS direct_s,
    first_meeting, last_meeting, meetings, indirect, venues,
    case_dwells AS person_dwells, contact_dwells, late, rule.1 AS rule_id, rule.2 AS rule_version
FROM ({{include:contacts_of_cases}})
ORDER BY person, overlap_s DESC, contact
{{include:contacts_of_many_said}};

CREATE OR REPLACE VIEW visitors_of AS
WITH
    {{include:dwell_mode}},
    scans AS
    (
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE person_token IN
            (
                SELECT person_token
                FROM visits_by_place
                WHERE venue_id = {venue_id:String}
                    AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                    AND scanned_at < {until:DateTime64(3, 'UTC')}
                    AND direction = 'enter'
            )
            AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
            AND scanned_at <= {until:DateTime64(3, 'UTC')} + toIntervalHour(24)
    )
SELECT
    lower(hex(person_token)) AS person_token, scanned_at, left_at, dwell, point_id, vehicle, run, carriage, seat,
    category, flags
FROM ({{include:dwell_stays}}) AS s
WHERE dwell != '' AND venue_id = {venue_id:String}
    AND scanned_at < {until:DateTime64(3, 'UTC')}
    AND (left_at > {since:DateTime64(3, 'UTC')} OR scanned_at >= {since:DateTime64(3, 'UTC')})
ORDER BY scanned_at, person_token
COMMENT 'Everybody whose stay at a venue, or on a trip boarded there, reaches into [since, until). Parameters: venue_id, since, until (instants, UTC), dwell (best unless given). Columns: person_token (32 hex digits), scanned_at and left_at (instants, ms), dwell (what left_at rests on), ids of the point and trip, category and flags (codes)';
