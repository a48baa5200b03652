-- `stays_of_cases` once for every half-hour in which somebody may have come who met them.
near AS
    (
        SELECT
            arrayJoin(stays_of_cases) AS m, m.2 AS place_key,
            arrayJoin(range(toUInt32(intDiv(m.3, 1800000) - m.12), toUInt32(intDiv(m.5, 1800000) + 1))) AS slot
    )
