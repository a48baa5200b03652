-- The same answers of contacts_of and contacts_of_many, to the second and sooner: what is settled for good is read out of
-- settled stays, and only what is younger is worked out from scans (docs/decisions/0016-contacts-until-now.md).

CREATE OR REPLACE VIEW contacts_of AS
WITH
{{include:one_case_in_ms}}
{{include:question_until_now}}
SELECT
    {{include:contact_columns}}
FROM ({{include:settled_contacts}})
ORDER BY overlap_s DESC, contact
{{include:contacts_of_said}};

CREATE OR REPLACE VIEW contacts_of_many AS
WITH
{{include:many_cases_in_ms}}
{{include:question_until_now}}
SELECT
    lower(hex(case_token)) AS person,
    {{include:contact_columns}}
FROM ({{include:settled_contacts}})
ORDER BY person, overlap_s DESC, contact
{{include:contacts_of_many_said}};
