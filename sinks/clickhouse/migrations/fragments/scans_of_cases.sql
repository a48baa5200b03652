-- All scans that stays of `cases` are made of.
SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE person_token IN (SELECT person_token FROM cases)
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at <= span_end + toIntervalHour(24)
