-- `windows` once for every half-hour in which somebody may have entered.
near AS
    (
        SELECT
            window_id, place_key, begin, end,
            arrayJoin(range(toUInt32(intDiv(begin, 1800000)), toUInt32(intDiv(end, 1800000) + 1))) AS slot
        FROM windows
    )
