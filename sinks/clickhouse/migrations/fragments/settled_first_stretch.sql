-- The first stretch at a place that a settled stay of somebody else overlaps: of stretches without overlap, the first that ends
-- after the stay begins.
ASOF INNER JOIN stretches AS u ON t.place_key = u.place_key AND t.begin < u.end
    WHERE t.begin < t.end AND u.begin < t.end AND t.person_token != index_token
