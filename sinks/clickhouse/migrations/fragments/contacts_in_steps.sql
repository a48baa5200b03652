-- Contacts: all meetings of one case with one person in one row, where they last long enough for the rule.
-- Minutes are counted once, however many places and stays give them. Meetings are the stretches between the moments at
-- which no piece is open: `open` counts those that are, begins before ends where they touch.
-- One step a level: a name that is used in another one's expression, and that in a third, is written out every time, and
-- analysing that took longer than answering.
SELECT *
FROM
(
    SELECT
        *,
        fromUnixTimestamp64Milli(arrayMax(starts), 'UTC') AS last_meeting,
        toUInt32(length(starts)) AS meetings,
        toInt64(if(rule.7 = 'single_meeting',
            arrayMax(arrayMap((start, stop) -> stop - start, starts, stops)),
            arrayMax(
                span -> arrayReduce('intervalLengthSum',
                    arrayMap(start -> least(greatest(start, span.1), span.2), starts),
                    arrayMap(stop -> least(greatest(stop, span.1), span.2), stops)),
                if(rule.7 = 'rolling_24h', arrayMap(start -> (start, start + 86400000), starts), {{include:calendar_days}})))) AS counted_ms
    FROM
    (
        SELECT
            * EXCEPT (moments, open),
            arrayFilter((moment, now_open) -> moment.3 = 0 AND now_open = 1, moments, open).2 AS starts,
            arrayFilter((moment, now_open) -> now_open = 0, moments, open).2 AS stops
        FROM
        (
            SELECT *, arrayCumSum(moment -> if(moment.3 = 0, 1, -1), moments) AS open
            FROM
            (
                SELECT
                    * EXCEPT pieces,
                    arraySort(arrayConcat(
                        arrayMap(piece -> (piece.1, piece.2, 0), pieces), arrayMap(piece -> (piece.1, piece.3, 1), pieces))) AS moments,
                    arrayReduce('intervalLengthSum', pieces.2, pieces.3) AS overlap_ms,
                    arrayReduce('intervalLengthSum', pieces.2, arrayMap(piece -> if(piece.4, piece.2, piece.3), pieces)) AS direct_ms
                FROM
                (
                    SELECT
                        rule, case_token, contact_token,
                        groupArray((key, toUnixTimestamp64Milli(begins_at), toUnixTimestamp64Milli(ends_at), in_tail)) AS pieces,
                        min(begins_at) AS first_meeting,
                        min(in_tail) AS indirect,
                        arraySort(groupUniqArray(there.1)) AS venues,
                        arraySort(groupUniqArray(case_dwell)) AS case_dwells,
                        arraySort(groupUniqArray(contact_dwell)) AS contact_dwells,
                        max(there.5) AS late
                    FROM pieces
                    GROUP BY rule, case_token, contact_token
                )
            )
        )
    )
)
WHERE if(rule.6, counted_ms > rule.5, counted_ms >= rule.5)
