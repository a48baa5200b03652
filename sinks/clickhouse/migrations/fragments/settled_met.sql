-- When somebody else was at the place of a stay of `near`, within the span.
SELECT
        near.who AS who, t.person_token AS person_token, t.venue_id AS venue_id,
        greatest(near.begin, t.came, span_begin) AS begin_ms, least(near.end, t.left, span_end) AS end_ms
    FROM
    (
        SELECT
            place_key, slot, person_token, venue_id,
            toUnixTimestamp64Milli(scanned_at) AS came, came + {{include:settled_length}} AS left
        FROM settled_stays_by_place FINAL
        PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM near)
    ) AS t
    INNER JOIN near ON t.place_key = near.place_key AND t.slot = near.slot
    WHERE begin_ms < end_ms AND t.person_token != near.who
