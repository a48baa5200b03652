-- Of a settled stay of one of `cases`: what narrows its place, how and when it ended, when it counts, how far to look back.
{{include:settled_within}},
                {{include:settled_dwell}} AS dwell,
                {{include:settled_length}} AS length,
                toUnixTimestamp64Milli(scanned_at) AS begin, begin + length AS end,
                end + least(length, asked.8) AS tail_until,
                c.case_begin AS case_begin, c.case_end AS case_end, r.slots AS slots
