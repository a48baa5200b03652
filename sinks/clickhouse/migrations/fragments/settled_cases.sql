-- The stays of `cases` (person_token, case_begin, case_end: ms since 1970) as one constant, for two parts of a question name
-- them; `near` has each once for every half-hour in which somebody may have come who met them: as long before as anybody
-- stayed at that place, until the stay ends, and its tail. `m` is (1 person, 2 place, 3 begin, 4 end, 5 end of the tail,
-- 6 point, 7 carriage, 8 row, 9 dwell, 10 counted from, 11 counted until, 12 half-hours to look back): one column goes
-- through the join, for each costs its analysis.
    (
        SELECT
            {{include:gathered_case_stays}}
        FROM
        (
            SELECT
                s.person_token AS person_token, s.place_key AS place_key, {{include:settled_case_columns}}
            FROM
            (
                {{include:settled_stays_of_cases}}
            ) AS s
            INNER JOIN cases AS c ON s.person_token = c.person_token
            INNER JOIN (SELECT * FROM place_reach FINAL) AS r ON s.place_key = r.place_key
        )
    ) AS stays_of_cases,
    {{include:near_cases}}
