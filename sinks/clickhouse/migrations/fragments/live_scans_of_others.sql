-- Scans that may begin or end stays from `live_from` on, but those of `cases`.
scanned_at >= greatest(span_begin - toIntervalHour(24), fromUnixTimestamp64Milli(live_from * 1800000, 'UTC'))
            AND scanned_at <= span_end + toIntervalHour(24)
            AND person_token NOT IN (SELECT person_token FROM cases)
