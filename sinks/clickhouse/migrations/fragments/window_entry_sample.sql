-- Of the sample `part`, how many people entered strictly inside a window. A scan keeps its venue and its time however often it
-- is decided, so nothing has to be merged.
{{include:sample_near_windows}}
SELECT uniqExact(v.person_token) AS named
FROM
(
    SELECT person_token, venue_id, scanned_at FROM near_windows
    UNION ALL
    SELECT person_token, venue_id, scanned_at
    FROM visits
    WHERE NOT by_place AND part > 0 AND person_token < sample_end AND direction = 'enter'
        AND scanned_at > span_begin AND scanned_at < span_end
) AS v
INNER JOIN windows AS w ON v.venue_id = w.venue_id
WHERE v.scanned_at > w.starts_at AND v.scanned_at < w.ends_at
