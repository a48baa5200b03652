-- Out of `case_tokens`, `span_begin` and `span_end` (ms since 1970): `near` has the settled stays of these people once for
-- every half-hour in which somebody may have come who met them: as long before as anybody stayed at that place, until the
-- stay ends. The stays are one constant: a relation would be worked out for each place that names it.
    (
        SELECT groupArray((s.place_key, begin, begin + length, r.slots, person_token))
        FROM
        (
            {{include:settled_stays_of_tokens}}
        ) AS s
        INNER JOIN (SELECT * FROM place_reach FINAL) AS r ON s.place_key = r.place_key
    ) AS mine,
{{include:near_mine}}
