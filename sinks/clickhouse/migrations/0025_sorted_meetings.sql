-- The same answers of settled_contacts_of and settled_chain, in half the time for people with many contacts: begins and ends
-- are sorted each for itself instead of in tuples, and one column of a case's stay goes through the join
-- (docs/decisions/0015-settled-stays.md).

CREATE OR REPLACE VIEW settled_contacts_of AS
WITH
    {{include:settled_asked}},
    {{include:city_zone}},
    {{include:days_of_span}},
{{include:one_case_in_ms}}
{{include:settled_cases}},
{{include:settled_contacts_found}};

CREATE OR REPLACE VIEW settled_chain AS
WITH
    {{include:settled_chain_cases}},
{{include:settled_together}}
-- One row a person, the lower degree: somebody of the first is met by others of it as well.
SELECT
    min(found).1 AS degree, lower(hex(contact_token)) AS contact, fromUnixTimestamp64Milli(min(found).2, 'UTC') AS first_meeting
FROM
(
    SELECT f.1 AS contact_token, (1, f.2) AS found FROM (SELECT arrayJoin(first_degree) AS f)
    UNION ALL
    SELECT contact_token, (2, toUnixTimestamp64Milli(first_meeting)) AS found
    FROM ({{include:settled_contacts}})
    WHERE contact_token != index_token
)
GROUP BY contact_token
COMMENT 'Tracers. Contacts of one person (degree 1), and everybody who met one of them from the first meeting on until they turned red (degree 2), as of the last settlement; one row a person, in no order. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given), dwell (best or default; best unless given). Columns: degree (1 or 2), contact (32 hex digits), first_meeting (instant: with one of the degree before)';
