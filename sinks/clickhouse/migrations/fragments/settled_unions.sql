-- When any of `cases` (person_token, case_begin, case_end: ms since 1970) was at a place: stretches without a gap between
-- them, so that each place has few, whoever they are of. They are one constant, for two parts of a question name them.
    (
        SELECT groupArray((place_key, slots, starts, stops))
        FROM
        (
            SELECT
                place_key, slots,
                arrayFilter((moment, now_open) -> moment.2 = 0 AND now_open = 1, moments, open).1 AS starts,
                arrayFilter((moment, now_open) -> now_open = 0, moments, open).1 AS stops
            FROM
            (
                SELECT place_key, slots, moments, arrayCumSum(moment -> if(moment.2 = 0, 1, -1), moments) AS open
                FROM
                (
                    SELECT
                        s.place_key AS place_key, any(r.slots) AS slots,
                        arraySort(arrayConcat(groupArray((s.begin, 0)), groupArray((s.end, 1)))) AS moments
                    FROM
                    (
                        SELECT
                            o.place_key AS place_key, greatest(o.begin, c.case_begin) AS begin, least(o.end, c.case_end) AS end
                        FROM
                        (
                            SELECT
                                person_token, place_key, toUnixTimestamp64Milli(scanned_at) AS begin,
                                begin + {{include:settled_length}} AS end
                            FROM settled_stays FINAL
                            WHERE person_token IN (SELECT person_token FROM cases)
                                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                                AND scanned_at < {until:DateTime64(3, 'UTC')}
                        ) AS o
                        INNER JOIN cases AS c ON o.person_token = c.person_token
                        WHERE begin < end
                    ) AS s
                    INNER JOIN (SELECT * FROM place_reach FINAL) AS r ON s.place_key = r.place_key
                    GROUP BY s.place_key
                )
            )
        )
        ARRAY JOIN starts, stops
    ) AS unions,
    stretches AS
    (
        SELECT u.1 AS place_key, u.2 AS slots, u.3 AS begin, u.4 AS end FROM (SELECT arrayJoin(unions) AS u)
    )
