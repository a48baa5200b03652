-- The stays of `cases` (person_token, case_begin, case_end: ms since 1970), once for every half-hour in which somebody may have come who
-- met them: as long before as anybody stayed at that place, until the stay ends, and its tail.
    near AS
    (
        SELECT
            s.person_token AS case_token, s.place_key AS place_key, s.begin AS begin, s.end AS end, s.tail_until AS tail_until,
            s.point AS point, s.carriage AS carriage, s.row AS row, s.dwell AS dwell,
            c.case_begin AS count_from, c.case_end AS count_until,
            arrayJoin(range(
                toUInt32(intDiv(s.begin, 1800000) - r.slots), toUInt32(intDiv(s.tail_until, 1800000) + 1))) AS slot
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
    )
