-- `stays_of_case` (place_key; stay: a tuple; slot: a half-hour in which somebody may have come who met it) as one constant: the
-- stays at each place, to be looked up there, and all (place, half-hour). A constant costs less analysis than a relation that
-- is joined, and one that lists places alone stays small.
    (
        SELECT (mapFromArrays(groupArray(place_key), groupArray(stays)), groupArrayArray(half_hours))
        FROM
        (
            SELECT place_key, groupUniqArray(stay) AS stays, groupUniqArray((place_key, slot)) AS half_hours
            FROM stays_of_case
            GROUP BY place_key
        )
    ) AS mine
