-- When somebody else was at the place of a stay of `near`, within the span.
SELECT
        near.who AS who, person_token, venue_id, toUnixTimestamp64Milli(scanned_at) AS came,
        greatest(near.begin, came, span_begin) AS begin_ms,
        least(near.end, came + {{include:settled_length}}, span_end) AS end_ms
    FROM settled_stays_by_place AS t FINAL
    INNER JOIN near ON t.place_key = near.place_key AND t.slot = near.slot
    PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM near)
    WHERE begin_ms < end_ms AND person_token != near.who
