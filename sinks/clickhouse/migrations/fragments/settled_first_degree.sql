-- Contacts of one person under the rule `asked`, each with the first meeting in ms since 1970.
    (
        WITH
            cases AS
            (
                SELECT
                    index_token AS person_token,
                    toUnixTimestamp64Milli(span_begin) AS case_begin, toUnixTimestamp64Milli(span_end) AS case_end
            ),
{{include:settled_cases}},
{{include:settled_together}}
        SELECT groupArray((contact_token, toUnixTimestamp64Milli(first_meeting)))
        FROM ({{include:settled_contacts}})
    ) AS first_degree
