-- A rule as the queries use it, out of `all_contact_rules`.
rule_id, version, place AS grain, overlap = 'instant' AS instant, toInt64(min_minutes) * 60000 AS min_ms,
            strict, sum_over, toInt64(tail_minutes) * 60000 AS tail_ms, by_carriage, seat_rows
