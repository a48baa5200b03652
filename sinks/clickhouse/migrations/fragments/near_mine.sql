-- The stays of `mine` (place, begin, end, half-hours to look back, person), once for every half-hour that is looked at.
    near AS
    (
        SELECT
            m.1 AS place_key, m.2 AS begin, m.3 AS end, m.5 AS who,
            arrayJoin(range(toUInt32(intDiv(m.2, 1800000) - m.4), toUInt32(intDiv(m.3, 1800000) + 1))) AS slot
        FROM (SELECT arrayJoin(mine) AS m)
    )
