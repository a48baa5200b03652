-- Whom the cases of degree 2 were met by, each from the first meeting until they turned red, or `span_end`: ms since 1970.
cases AS
    (
        SELECT
            f.person_token AS person_token, f.first_ms AS case_begin,
            arrayMin(arrayPushBack(arrayFilter(red -> red > case_begin, h.reds), toUnixTimestamp64Milli(span_end))) AS case_end
        FROM (SELECT arrayJoin(first_degree) AS found, found.1 AS person_token, found.2 AS first_ms) AS f
        LEFT JOIN
        (
            SELECT person_token, groupArray(toUnixTimestamp64Milli(valid_from)) AS reds
            FROM health_changes FINAL
            WHERE colour = 'red' AND valid_from >= span_begin AND valid_from < span_end
                AND person_token IN (SELECT arrayJoin(first_degree).1)
            GROUP BY person_token
        ) AS h ON f.person_token = h.person_token
    )
