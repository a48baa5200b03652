-- How many people the pieces are enough for. As `contacts_in_steps`, without what is not counted; and where a rule asks for no
-- minutes, nothing is put together.
SELECT uniqExact(contact_token) AS named
FROM
(
    SELECT
        contact_token,
        toInt64(if(asked.7 = 'single_meeting',
            arrayMax(arrayMap((start, stop) -> stop - start, starts, stops)),
            arrayMax(
                span -> arrayReduce('intervalLengthSum',
                    arrayMap(start -> least(greatest(start, span.1), span.2), starts),
                    arrayMap(stop -> least(greatest(stop, span.1), span.2), stops)),
                if(asked.7 = 'rolling_24h', arrayMap(start -> (start, start + 86400000), starts), {{include:calendar_days}})))) AS counted_ms
    FROM
    (
        SELECT
            contact_token,
            arrayFilter((moment, now_open) -> moment.3 = 0 AND now_open = 1, moments, open).2 AS starts,
            arrayFilter((moment, now_open) -> now_open = 0, moments, open).2 AS stops
        FROM
        (
            SELECT contact_token, moments, arrayCumSum(moment -> if(moment.3 = 0, 1, -1), moments) AS open
            FROM
            (
                SELECT
                    contact_token,
                    arraySort(arrayConcat(
                        arrayMap(piece -> (piece.1, piece.2, 0), met), arrayMap(piece -> (piece.1, piece.3, 1), met))) AS moments
                FROM
                (
                    SELECT
                        contact_token,
                        groupArrayIf(
                            (key, toUnixTimestamp64Milli(begins_at), toUnixTimestamp64Milli(ends_at)),
                            asked.5 > 0 OR asked.6) AS met
                    FROM pieces
                    GROUP BY case_token, contact_token
                )
            )
        )
    )
)
WHERE if(asked.6, counted_ms > asked.5, counted_ms >= asked.5)
