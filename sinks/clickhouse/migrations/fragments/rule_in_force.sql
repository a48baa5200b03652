-- A rule as the queries use it: its texts as numbers, an operator's version before one that was shipped.
SELECT
    (
        rule_id::String, version, place::String, overlap = 'instant', toInt64(min_minutes) * 60000, strict, sum_over::String,
        toInt64OrZero(extract(indirect_tail, '\\d+')) * 60000, by_carriage, toInt16(ifNull(seat_rows, 9999))
    ) AS rule
FROM contact_rules FINAL
WHERE rule_id = ifNull({rule_id:Nullable(String)}, 'any_overlap')
ORDER BY origin = 'operator' DESC, version DESC
LIMIT 1
