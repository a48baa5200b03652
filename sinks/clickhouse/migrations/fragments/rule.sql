-- A rule as the queries use it: its texts as numbers.
(
        rule_id::String, version, place::String, overlap = 'instant', toInt64(min_minutes) * 60000, strict, sum_over::String,
        toInt64OrZero(extract(indirect_tail, '\\d+')) * 60000, by_carriage, toInt16(ifNull(seat_rows, 9999))
    )
