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
{{include:contacts_of_said}};

CREATE OR REPLACE VIEW contacts_of_many AS
WITH
{{include:many_cases_in_ms}}
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
{{include:contacts_of_many_said}};
