-- Of all pieces that two people have in common: when they begin and end, and what is said of them together.
{{include:gathered_moments}},
                intervalLengthSum(begin_ms, end_ms) AS overlap_ms,
                intervalLengthSum(begin_ms, if(in_tail, begin_ms, end_ms)) AS direct_ms,
                fromUnixTimestamp64Milli(min(begin_ms), 'UTC') AS first_meeting,
                min(in_tail) AS indirect,
                arraySort(groupUniqArray(venue_id)) AS venues,
                arraySort(groupUniqArray(case_dwell)) AS case_dwells,
                arraySort(groupUniqArray(contact_dwell)) AS contact_dwells,
                max(late) AS late
