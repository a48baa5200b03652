-- What a rule counts of meetings that begin at `starts` and end at `stops`.
fromUnixTimestamp64Milli(arrayMax(starts), 'UTC') AS last_meeting,
        toUInt32(length(starts)) AS meetings,
        if(rule.7 = 'single_meeting',
            arrayMax(arrayMap((start, stop) -> stop - start, starts, stops)),
            toInt64(arrayMax(
                span -> arrayReduce('intervalLengthSum',
                    arrayMap(start -> least(greatest(start, span.1), span.2), starts),
                    arrayMap(stop -> least(greatest(stop, span.1), span.2), stops)),
                if(rule.7 = 'rolling_24h', arrayMap(start -> (start, start + 86400000), starts), calendar_days)))) AS counted_ms
