-- `stays_by_rule` once for every place and half-hour in which somebody may have come there who met them.
near AS
    (
        SELECT
            arrayJoin(stays_by_rule) AS found, found.1 AS m, arrayJoin(found.3) AS there, there.2 AS place_key,
            arrayJoin(range(toUInt32(intDiv(m.3, 1800000) - there.3), toUInt32(intDiv(m.5, 1800000) + 1))) AS slot
    )
