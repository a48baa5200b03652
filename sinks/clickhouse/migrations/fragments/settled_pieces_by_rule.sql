-- Every piece of time, in ms since 1970, that a settled stay of the person and one of somebody else have in common under one
-- of the rules, by its number.
SELECT
            m.1 AS number, t.person_token AS contact_token, m.2 AS place_key, t.venue_id AS venue_id, t.late AS late,
            t.begin >= m.4 AS in_tail,
            greatest(m.3, t.begin, m.10) AS begin_ms,
            if(m.12, t.begin, least(t.end, if(in_tail, m.5, m.4), m.11)) AS end_ms,
            m.9 AS case_dwell,
            if(m.12, 'none', t.dwell) AS contact_dwell
        FROM
        (
            SELECT
                place_key, slot, person_token, venue_id, point_id, vehicle, carriage, late, {{include:row_of_seat}} AS row,
                {{include:settled_rows_near}}
        ) AS t
        INNER JOIN near AS n ON t.place_key = n.place_key AND t.slot = n.slot
        WHERE t.person_token != toFixedString(unhex({person_token:String}), 16)
            AND if(m.12, m.3 < t.begin AND t.begin < m.4 AND m.10 <= t.begin AND t.begin < m.11, begin_ms < end_ms)
            AND (NOT m.13 OR m.6 = t.point_id)
            AND (m.7 = '' OR t.carriage = '' OR m.7 = t.carriage)
            AND (m.7 != if(m.14 AND t.vehicle != '', t.carriage, '') OR ifNull(abs(m.8 - t.row) <= m.15, true))
