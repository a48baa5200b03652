-- Out of `case_tokens`, `span_begin` and `span_end` (ms since 1970): `near` has the settled stays of these people once for
-- every half-hour in which somebody may have come who met them: as long before as anybody stayed at that place, until the
-- stay ends. The stays are one constant: a relation would be worked out for each place that names it.
    (
        SELECT groupArray((s.place_key, begin, begin + length, r.slots, person_token))
        FROM
        (
            SELECT person_token, place_key, toUnixTimestamp64Milli(scanned_at) AS begin, {{include:settled_length}} AS length
            FROM settled_stays FINAL
            WHERE person_token IN (SELECT arrayJoin(case_tokens))
                AND NOT throwIf(ifNull({dwell:Nullable(String)}, 'best') NOT IN ('best', 'default'),
                    'settled stays end by best or default; ask contacts_of for other ways')
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
        ) AS s
        INNER JOIN (SELECT * FROM place_reach FINAL) AS r ON s.place_key = r.place_key
    ) AS mine,
    near AS
    (
        SELECT
            m.1 AS place_key, m.2 AS begin, m.3 AS end, m.5 AS who,
            arrayJoin(range(toUInt32(intDiv(m.2, 1800000) - m.4), toUInt32(intDiv(m.3, 1800000) + 1))) AS slot
        FROM (SELECT arrayJoin(mine) AS m)
    )
