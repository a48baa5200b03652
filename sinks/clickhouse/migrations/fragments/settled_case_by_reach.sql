-- As settled_cases, for one person: joined the other way round, so that it is the stays which a join keeps in memory.
    (
        SELECT
            {{include:gathered_case_stays}}
        FROM
        (
            SELECT
                s.person_token AS person_token, s.place_key AS place_key, {{include:settled_case_columns}}
            FROM (SELECT * FROM place_reach FINAL) AS r
            INNER JOIN
            (
                {{include:settled_stays_of_cases}}
            ) AS s ON s.place_key = r.place_key
            INNER JOIN cases AS c ON s.person_token = c.person_token
        )
    ) AS stays_of_cases,
    {{include:near_cases}}
