-- Contacts out of `pieces`: all meetings of one case with one person in one row, where they last long enough for the rule
-- `asked`. Minutes are counted once, however many places and stays give them.
-- Meetings are stretches at one place without a gap. A moment is one number, the place in its upper 64 bits and ms since 1970
-- in its lower: begins and ends are then sorted each for itself, and quicker than tuples. The n-th begin opens a stretch when
-- the n - 1 before it have ended sooner, or elsewhere; the n-th end closes one when the next begin is later, or elsewhere.
SELECT *
FROM
(
    SELECT
        *,
        asked AS rule,
        fromUnixTimestamp64Milli(arrayMax(starts), 'UTC') AS last_meeting,
        toUInt32(length(starts)) AS meetings,
        if(rule.7 = 'single_meeting',
            arrayMax(arrayMap((start, stop) -> stop - start, starts, stops)),
            toInt64(arrayMax(
                span -> arrayReduce('intervalLengthSum',
                    arrayMap(start -> least(greatest(start, span.1), span.2), starts),
                    arrayMap(stop -> least(greatest(stop, span.1), span.2), stops)),
                if(rule.7 = 'rolling_24h', arrayMap(start -> (start, start + 86400000), starts), calendar_days)))) AS counted_ms
    FROM
    (
        SELECT
            * EXCEPT (begins, ends),
            arrayMap(moment -> toInt64(moment), arrayFilter((begin, before) -> before < begin,
                begins, arrayPushFront(arrayPopBack(ends), toUInt128(0)))) AS starts,
            arrayMap(moment -> toInt64(moment), arrayFilter((end, after) -> end < after,
                ends, arrayPushBack(arrayPopFront(begins), bitNot(toUInt128(0))))) AS stops
        FROM
        (
            SELECT
                case_token, contact_token,
                arraySort(groupArray(bitShiftLeft(toUInt128(place_key), 64) + toUInt128(begin_ms))) AS begins,
                arraySort(groupArray(bitShiftLeft(toUInt128(place_key), 64) + toUInt128(end_ms))) AS ends,
                intervalLengthSum(begin_ms, end_ms) AS overlap_ms,
                intervalLengthSum(begin_ms, if(in_tail, begin_ms, end_ms)) AS direct_ms,
                fromUnixTimestamp64Milli(min(begin_ms), 'UTC') AS first_meeting,
                min(in_tail) AS indirect,
                arraySort(groupUniqArray(venue_id)) AS venues,
                arraySort(groupUniqArray(case_dwell)) AS case_dwells,
                arraySort(groupUniqArray(contact_dwell)) AS contact_dwells,
                max(late) AS late
            FROM pieces
            GROUP BY case_token, contact_token
        )
    )
)
WHERE if(rule.6, counted_ms > rule.5, counted_ms >= rule.5)
