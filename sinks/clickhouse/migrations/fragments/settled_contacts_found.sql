-- The answer of settled_contacts_of, out of the stays of its case, and what its comment says.
{{include:settled_together}}
SELECT
    {{include:contact_columns}}
FROM ({{include:settled_contacts}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What contacts_of answers, as of the last settlement and sooner. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given; one about venues or trips, not about venues alone), dwell (best or default; best unless given). Columns: those of contacts_of'
