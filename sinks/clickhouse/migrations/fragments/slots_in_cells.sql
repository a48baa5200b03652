-- Each stay of `mine` at every place `p` of its cell, once for every half-hour in which somebody may have come who met it.
SELECT
            c.cell AS cell, p.place_key AS place_key, c.m.2 AS begin, c.m.3 AS end,
            arrayJoin(range(toUInt32(intDiv(begin, 1800000) - p.slots), toUInt32(intDiv(end, 1800000) + 1))) AS slot
        FROM (SELECT arrayJoin(mine) AS m, m.1 AS cell) AS c
