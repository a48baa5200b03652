-- Of `pieces`: how long a settled stay of a case and one of somebody else are together, and which are.
t.begin >= m.4 AS in_tail,
            greatest(m.3, t.begin, m.10) AS begin_ms,
            if(asked.4, t.begin, least(t.end, if(in_tail, m.5, m.4), m.11)) AS end_ms,
            m.9 AS case_dwell,
            if(asked.4, 'none', t.dwell) AS contact_dwell
        FROM
        (
            SELECT
                place_key, slot, person_token, venue_id, late, {{include:settled_within}},
                {{include:settled_rows_near}}
        ) AS t
        INNER JOIN near AS n ON t.place_key = n.place_key AND t.slot = n.slot
        WHERE t.person_token != m.1
            AND if(asked.4, m.3 < t.begin AND t.begin < m.4 AND m.10 <= t.begin AND t.begin < m.11, begin_ms < end_ms)
            AND m.6 = t.point
            AND (m.7 = '' OR t.carriage = '' OR m.7 = t.carriage)
            AND (m.7 != t.carriage OR ifNull(abs(m.8 - t.row) <= asked.10, true))
    )
