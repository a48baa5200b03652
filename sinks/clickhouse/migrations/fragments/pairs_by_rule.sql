-- As `pairs`, where each rule has cases of its own: `cases` has a `rule_id`. Out of the relation `ended` (entries with
-- their stays), every piece of time that a stay of a case and a stay of somebody else have in common at one place.
-- Stays fall into buckets of four hours, so that only stays near each other in time are compared; a piece is found in the
-- bucket in which it begins, once.
SELECT
    rule, key, mine.1 AS case_token, theirs.1 AS contact_token,
    theirs.3 >= mine.4 AS in_tail,
    greatest(mine.3, theirs.3, mine.8) AS begins_at,
    if(rule.4, theirs.3, least(theirs.4, if(in_tail, mine.9, mine.4), mine.10)) AS ends_at,
    mine.2 AS case_dwell,
    if(rule.4, 'none', theirs.2) AS contact_dwell,
    theirs.11 AS there
FROM
(
    SELECT rule, key, bucket, arrayJoin(groupArrayIf(stay, is_case)) AS mine, arrayJoin(groupArray(stay)) AS theirs
    FROM
    (
        SELECT
            rule, multiIf(rule.3 = 'venue', venue_id, rule.3 = 'cell_800m', cell, place) AS key,
            case_end > toDateTime64(0, 3, 'UTC') AS is_case,
            left_at + toIntervalMillisecond(least(dateDiff('ms', scanned_at, left_at), rule.8)) AS tail_until,
            arrayJoin(range(
                toUInt32(intDiv(toUnixTimestamp(scanned_at), 14400)),
                toUInt32(intDiv(toUnixTimestamp(if(is_case, tail_until, left_at)), 14400) + 1))) AS bucket,
            (
                s.person_token, dwell, scanned_at, left_at,
                if(rule.3 = 'point', point_id, ''), if(rule.9 AND vehicle != '', carriage, ''),
                {{include:row_of_seat}},
                greatest(case_begin, rule_begin), tail_until, least(case_end, rule_end),
                (venue_id, vehicle, run, category, has(flags, 'late'))
            ) AS stay
        FROM
        (
            SELECT e.*, r.rule AS rule, r.rule_begin AS rule_begin, r.rule_end AS rule_end, r.rule.1 AS rule_id
            FROM ended AS e
            CROSS JOIN rules AS r
        ) AS s
        LEFT JOIN cases AS c ON s.person_token = c.person_token AND s.rule_id = c.rule_id
        WHERE direction = 'enter' AND scanned_at < span_end AND key != ''
    )
    GROUP BY rule, key, bucket
)
WHERE mine.1 != theirs.1
    AND intDiv(toUnixTimestamp(begins_at), 14400) = bucket
    AND if(rule.4, mine.3 < theirs.3 AND theirs.3 < mine.4 AND mine.8 <= theirs.3 AND theirs.3 < mine.10, begins_at < ends_at)
    AND mine.5 = theirs.5
    AND (mine.6 = '' OR theirs.6 = '' OR mine.6 = theirs.6)
    AND (mine.6 != theirs.6 OR ifNull(abs(mine.7 - theirs.7) <= rule.10, true))
