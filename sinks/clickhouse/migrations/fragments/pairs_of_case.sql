-- Out of the relation `ended` (entries with their stays): every piece of time that a stay of the case and a stay of somebody
-- else have in common at one place. m.2 and m.3 are the ends of the case's stay, m.7 that of its tail.
SELECT
    asked AS rule, t.key AS key, case_token, person_token AS contact_token,
    scanned_at >= m.3 AS in_tail,
    greatest(m.2, scanned_at, span_begin) AS begins_at,
    if(asked.4, scanned_at, least(left_at, if(in_tail, m.7, m.3), span_end)) AS ends_at,
    m.8 AS case_dwell,
    if(asked.4, 'none', dwell) AS contact_dwell,
    (venue_id, vehicle, run, category, has(flags, 'late')) AS there
FROM
(
    SELECT *, {{include:place_key}} AS key, ({{include:within_place}}) AS within
    FROM ended
    WHERE direction = 'enter' AND scanned_at < span_end AND person_token != case_token
) AS t
INNER JOIN (SELECT arrayJoin(mine) AS m, m.1 AS key) AS c ON t.key = c.key
WHERE if(asked.4,
        m.2 < scanned_at AND scanned_at < m.3 AND span_begin <= scanned_at AND scanned_at < span_end, begins_at < ends_at)
    AND m.4 = within.1
    AND (m.5 = '' OR within.2 = '' OR m.5 = within.2)
    AND (m.5 != within.2 OR ifNull(abs(m.6 - within.3) <= asked.10, true))
