-- Every piece of time, in ms since 1970, that a settled stay of the person and one of somebody else have in common in one
-- cell; `place_key` tells cells apart.
SELECT
            toFixedString(unhex({person_token:String}), 16) AS case_token, t.person_token AS contact_token, m.1 AS cell,
            cityHash64(cell) AS place_key, t.venue_id AS venue_id, t.late AS late,
            t.begin >= m.3 AS in_tail,
            greatest(m.2, t.begin, span_begin) AS begin_ms,
            if(m.6, t.begin, least(t.end, if(in_tail, m.4, m.3), span_end)) AS end_ms,
            m.5 AS case_dwell,
            if(m.6, 'none', t.dwell) AS contact_dwell
        FROM
        (
            SELECT
                place_key, slot, person_token, venue_id, late, {{include:settled_dwell}} AS dwell,
                toUnixTimestamp64Milli(scanned_at) AS begin, begin + {{include:settled_length}} AS end
            FROM settled_stays_by_place FINAL
            PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM near)
            WHERE scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
        ) AS t
        INNER JOIN near AS n ON t.place_key = n.place_key AND t.slot = n.slot
        WHERE t.person_token != case_token
            AND if(m.6, m.2 < t.begin AND t.begin < m.3 AND span_begin <= t.begin AND t.begin < span_end, begin_ms < end_ms)
