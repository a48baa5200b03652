-- Every piece of time, in ms since 1970, that a settled stay of a case and one of somebody else have in common at one venue
-- under the rule `asked`.
    pieces AS
    (
        SELECT
            m.1 AS case_token, t.person_token AS contact_token, cityHash64(t.venue_id) AS place_key, t.venue_id AS venue_id, t.late AS late,
            {{include:settled_together_rows}}
