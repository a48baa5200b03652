-- The answer of settled_overlaps_of, out of `near` and `mine`, and what its comment says.
SELECT
    {{include:settled_overlap_columns}}
FROM
(
    {{include:settled_met}}
)
GROUP BY person_token
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. Who was with one person in [since, until) at all, as of the last settlement: the quickest answer there is. Parameters: person_token (32 hex digits), since, until (instants, UTC), dwell (best or default; best unless given). Columns: contact (32 hex digits), overlap_s (s: time together, each instant once), first_meeting and last_together (instants: when it began for the first time and ended for the last), venues (ids)'
