-- As settled_meetings, joined the other way round: of one person's stays and the reach of all places it is the stays that a join
-- is to keep in memory.
    (
        SELECT groupArray((s.place_key, begin, begin + length, r.slots, person_token))
        FROM (SELECT * FROM place_reach FINAL) AS r
        INNER JOIN
        (
            {{include:settled_stays_of_tokens}}
        ) AS s ON s.place_key = r.place_key
    ) AS mine,
{{include:near_mine}}
