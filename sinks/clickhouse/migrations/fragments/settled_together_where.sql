-- Whether two settled stays are together under the rule `asked`.
INNER JOIN near AS n ON t.place_key = n.place_key AND t.slot = n.slot
        WHERE t.person_token != m.1
            AND if(asked.4, m.3 < t.begin AND t.begin < m.4 AND m.10 <= t.begin AND t.begin < m.11, begin_ms < end_ms)
            AND m.6 = t.point
            AND (m.7 = '' OR t.carriage = '' OR m.7 = t.carriage)
            AND (m.7 != t.carriage OR ifNull(abs(m.8 - t.row) <= asked.10, true))
