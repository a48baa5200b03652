-- A rule as `rule` has it, with the hours and the days of its clause about the cell; 0 where it has none.
(
        rule_id::String, version, place::String, overlap = 'instant', toInt64(min_minutes) * 60000, strict, sum_over::String,
        toInt64OrZero(extract(indirect_tail, '\\d+')) * 60000, by_carriage, toInt16(ifNull(seat_rows, 9999)),
        toInt64(ifNull(companion_hours, 0)) * 3600000, toInt64(ifNull(companion_days, 0))
    )
