-- As `settled_cases`, for a rule about venues alone: a stay stands once for everybody on no trip at its venue, and once for
-- those who boarded one there.
    (
        SELECT
            groupArray((
                person_token, place_key, begin, end, tail_until, point, carriage, row, dwell, case_begin, case_end, slots))
        FROM
        (
            SELECT
                s.person_token AS person_token, s.key AS place_key, {{include:settled_case_columns}}
            FROM
            (
                SELECT *, arrayJoin({{include:venue_keys}}) AS key FROM settled_stays FINAL
                WHERE person_token IN (SELECT person_token FROM cases)
                    AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                    AND scanned_at < {until:DateTime64(3, 'UTC')}
            ) AS s
            INNER JOIN cases AS c ON s.person_token = c.person_token
            INNER JOIN (SELECT * FROM place_reach FINAL) AS r ON s.key = r.place_key
        )
    ) AS stays_of_cases,
    {{include:near_cases}}
