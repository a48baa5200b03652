-- Settled stays of those who may have met a case of `near`, and the case's own beside them.
FROM
        (
            SELECT
                place_key, slot, person_token, venue_id, vehicle, run, category, late, {{include:settled_within}},
                {{include:settled_rows_near}}
        ) AS t
        INNER JOIN near AS m ON t.place_key = m.place_key AND t.slot = m.slot
