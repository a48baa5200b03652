-- The same answers of contacts_of and contacts_of_many, sooner while the city scans: a stay of the last day too is read as it
-- was settled, unless a scan made since may have ended it (docs/decisions/0016-contacts-until-now.md).

CREATE OR REPLACE VIEW contacts_of AS
WITH
{{include:one_case_in_ms}}
{{include:question_of_now}},
    -- Two constants, for several parts of the question name them, and a relation would be worked out for each.
    (SELECT groupArray((place, venue_id, place_key, slot, live)) FROM ({{include:reach_of_cases}})) AS reached,
    reach AS
    (
        SELECT r.1 AS place, r.2 AS venue_id, r.3 AS place_key, r.4 AS slot, r.5 AS live
        FROM (SELECT arrayJoin(reached) AS r)
    ),
    (SELECT groupUniqArray(person_token) FROM ({{include:scanned_since}})) AS those_scanned,
    scanned_since AS (SELECT arrayJoin(those_scanned) AS person_token),
{{include:stays_final_or_open}},
    pieces AS ({{include:pieces_until_now}})
SELECT
    {{include:contact_columns}}
FROM ({{include:settled_contacts}})
ORDER BY overlap_s DESC, contact
COMMENT 'Who was with one person in [since, until), one row a contact. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given), dwell (best unless given). Columns: contact (32 hex digits), overlap_s (s: time together, each instant once), counted_s (s: what the rule holds against its minimum), direct_s (s: without the tail), first_meeting and last_meeting (instants: their starts), meetings (number), indirect (true: all of it within the tail), venues (ids), person_dwells and contact_dwells (what the stays rest on), late (true: a scan arrived late), rule_id, rule_version';

CREATE OR REPLACE VIEW contacts_of_many AS
WITH
    cases AS
    (
        SELECT
            toFixedString(unhex(arrayJoin({person_tokens:Array(String)})), 16) AS person_token,
            toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) AS case_begin,
            toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS case_end
    ),
{{include:question_of_now}},
    reach AS ({{include:reach_of_cases}}),
    scanned_since AS ({{include:scanned_since}}),
{{include:stays_final_or_open}},
    pieces AS ({{include:pieces_until_now}})
SELECT
    lower(hex(case_token)) AS person,
    {{include:contact_columns}}
FROM ({{include:settled_contacts}})
ORDER BY person, overlap_s DESC, contact
COMMENT 'Who was with each of many people in [since, until), one row a person and contact. Parameters: person_tokens (array of 32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given), dwell (best unless given). Columns: person and contact (32 hex digits), overlap_s (s: time together, each instant once), counted_s (s: what the rule holds against its minimum), direct_s (s: without the tail), first_meeting and last_meeting (instants: their starts), meetings (number), indirect (true: all of it within the tail), venues (ids), person_dwells and contact_dwells (what the stays rest on), late (true: a scan arrived late), rule_id, rule_version';
