-- Of `pieces`: how long a settled stay of a case and one of somebody else are together, and which are.
{{include:settled_together_times}},
            m.9 AS case_dwell,
            if(asked.4, 'none', t.dwell) AS contact_dwell
        FROM
        (
            SELECT
                place_key, slot, person_token, venue_id, late, {{include:settled_within}},
                {{include:settled_rows_near}}
        ) AS t
        {{include:settled_together_where}}
    )
