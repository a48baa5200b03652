-- `windows` once for every half-hour in which somebody may have come who was there: as long before as anybody stayed.
near AS
    (
        SELECT
            window_id, w.place_key AS place_key, begin, end,
            arrayJoin(range(toUInt32(intDiv(begin, 1800000) - r.slots), toUInt32(intDiv(end, 1800000) + 1))) AS slot
        FROM windows AS w
        INNER JOIN (SELECT * FROM place_reach FINAL) AS r ON w.place_key = r.place_key
        WHERE NOT {{include:refuse_other_dwell}}
    )
