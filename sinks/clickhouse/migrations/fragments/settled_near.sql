-- The stays of `cases` (person_token, case_begin, case_end: ms since 1970), once for every half-hour in which somebody may have come who
-- met them: as long before as anybody stayed at that place, until the stay ends, and its tail. They are one constant, for two parts of
-- a question name them.
    (
        SELECT
            groupArray((
                s.person_token, s.place_key, s.begin, s.end, s.tail_until, s.point, s.carriage, s.row, s.dwell,
                c.case_begin, c.case_end, r.slots))
        FROM
        (
            SELECT
                person_token, place_key, {{include:settled_within}},
                {{include:settled_dwell}} AS dwell,
                {{include:settled_length}} AS length,
                toUnixTimestamp64Milli(scanned_at) AS begin, begin + length AS end,
                end + least(length, asked.8) AS tail_until
            FROM settled_stays FINAL
            WHERE person_token IN (SELECT person_token FROM cases)
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
        ) AS s
        INNER JOIN cases AS c ON s.person_token = c.person_token
        INNER JOIN (SELECT * FROM place_reach FINAL) AS r ON s.place_key = r.place_key
    ) AS stays_of_cases,
    near AS
    (
        SELECT
            m.1 AS case_token, m.2 AS place_key, m.3 AS begin, m.4 AS end, m.5 AS tail_until, m.6 AS point, m.7 AS carriage,
            m.8 AS row, m.9 AS dwell, m.10 AS count_from, m.11 AS count_until,
            arrayJoin(range(toUInt32(intDiv(m.3, 1800000) - m.12), toUInt32(intDiv(m.5, 1800000) + 1))) AS slot
        FROM (SELECT arrayJoin(stays_of_cases) AS m)
    )
