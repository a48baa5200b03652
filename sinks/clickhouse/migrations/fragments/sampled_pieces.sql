-- Out of `ended` (entries with their stays) and `cases`: every piece of time that a stay of a case and one of somebody who is
-- none have in common under the rule `asked`. As `pairs`, with the fewest columns, and in buckets of an hour: crowds are
-- where people stay shortly.
SELECT
    key, mine.1 AS case_token, theirs.1 AS contact_token,
    greatest(mine.2, theirs.2, mine.7) AS begins_at,
    if(asked.4, theirs.2, least(theirs.3, if(theirs.2 >= mine.3, mine.8, mine.3), mine.9)) AS ends_at
FROM
(
    SELECT key, bucket, arrayJoin(groupArrayIf(stay, is_case)) AS mine, arrayJoin(groupArrayIf(stay, NOT is_case)) AS theirs
    FROM
    (
        SELECT
            multiIf(asked.3 = 'venue', venue_id, asked.3 = 'cell_800m', cell, place) AS key,
            case_end > toDateTime64(0, 3, 'UTC') AS is_case,
            left_at + toIntervalMillisecond(least(dateDiff('ms', scanned_at, left_at), asked.8)) AS tail_until,
            arrayJoin(range(
                toUInt32(intDiv(toUnixTimestamp(scanned_at), 3600)),
                toUInt32(intDiv(toUnixTimestamp(if(is_case, tail_until, left_at)), 3600) + 1))) AS bucket,
            (
                s.person_token, scanned_at, left_at,
                if(asked.3 = 'point', point_id, ''), if(asked.9 AND vehicle != '', carriage, ''),
                {{include:row_of_seat}},
                greatest(case_begin, span_begin), tail_until, least(case_end, span_end)
            ) AS stay
        FROM ended AS s
        LEFT JOIN cases AS c ON s.person_token = c.person_token
        WHERE direction = 'enter' AND scanned_at < span_end AND key != ''
    )
    GROUP BY key, bucket
)
WHERE intDiv(toUnixTimestamp(begins_at), 3600) = bucket
    AND if(asked.4, mine.2 < theirs.2 AND theirs.2 < mine.3 AND mine.7 <= theirs.2 AND theirs.2 < mine.9, begins_at < ends_at)
    AND mine.4 = theirs.4
    AND (mine.5 = '' OR theirs.5 = '' OR mine.5 = theirs.5)
    AND (mine.5 != theirs.5 OR ifNull(abs(mine.6 - theirs.6) <= asked.10, true))
