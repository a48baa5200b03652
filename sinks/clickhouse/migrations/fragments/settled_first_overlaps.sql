-- Everybody who was with one person at all, each with the first meeting in ms since 1970.
    (
        WITH
            [index_token] AS case_tokens,
            toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) AS span_begin,
            toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS span_end,
{{include:settled_meetings}}
        SELECT groupArray((person_token, first_ms))
        FROM
        (
            SELECT person_token, min(begin_ms) AS first_ms
            FROM
            (
    {{include:settled_met}}
            )
            GROUP BY person_token
        )
    ) AS first_degree
