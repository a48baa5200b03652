-- Every piece of time that a settled stay of a case and one of somebody else have in common at one place under a rule.
    pieces AS
    (
        SELECT
            asked AS rule, t.place_key AS key, m.case_token AS case_token, t.person_token AS contact_token,
            t.begin >= m.end AS in_tail,
            greatest(m.begin, t.begin, m.count_from) AS begin_ms,
            if(asked.4, t.begin, least(t.end, if(in_tail, m.tail_until, m.end), m.count_until)) AS end_ms,
            fromUnixTimestamp64Milli(begin_ms, 'UTC') AS begins_at, fromUnixTimestamp64Milli(end_ms, 'UTC') AS ends_at,
            m.dwell AS case_dwell,
            if(asked.4, 'none', t.dwell) AS contact_dwell,
            (t.venue_id, t.vehicle, t.run, t.category, t.late) AS there
        {{include:settled_rows}}
        WHERE t.person_token != m.case_token
            AND if(asked.4,
                m.begin < t.begin AND t.begin < m.end AND m.count_from <= t.begin AND t.begin < m.count_until,
                begin_ms < end_ms)
            AND m.point = t.point
            AND (m.carriage = '' OR t.carriage = '' OR m.carriage = t.carriage)
            AND (m.carriage != t.carriage OR ifNull(abs(m.row - t.row) <= asked.10, true))
    )
