-- Every piece of time that a stay of a case and a stay of somebody else have in common at one place under a rule.
-- Stays fall into buckets of four hours, so that only stays near each other in time are compared; a piece is found in the
-- bucket in which it begins, once.
SELECT
    rule_id, key, mine.1 AS case_token, theirs.1 AS contact_token,
    theirs.3 >= mine.4 AS in_tail,
    greatest(mine.3, theirs.3, mine.8, rule_begin) AS begins_at,
    if(instant, theirs.3, least(theirs.4, if(in_tail, mine.9, mine.4), mine.10, rule_end)) AS ends_at,
    mine.2 AS case_dwell,
    if(instant, 'none', theirs.2) AS contact_dwell,
    theirs.11 AS there
FROM
(
    SELECT
        rule_id, key, bucket,
        any(instant) AS instant, any(rule_begin) AS rule_begin, any(rule_end) AS rule_end,
        any(grain) AS grain, any(by_carriage) AS by_carriage, any(seat_rows) AS seat_rows,
        arrayJoin(groupArrayIf(stay, is_case)) AS mine, arrayJoin(groupArray(stay)) AS theirs
    FROM
    (
        SELECT
            rule_id, instant, rule_begin, rule_end, grain, by_carriage, seat_rows,
            multiIf(grain = 'venue', venue_id, grain = 'cell_800m', cell, place) AS key,
            case_end > toDateTime64(0, 3, 'UTC') AS is_case,
            left_at + toIntervalMillisecond(least(dateDiff('ms', scanned_at, left_at), tail_ms)) AS tail_until,
            arrayJoin(range(
                toUInt32(intDiv(toUnixTimestamp(scanned_at), 14400)),
                toUInt32(intDiv(toUnixTimestamp(if(is_case, tail_until, left_at)), 14400) + 1))) AS bucket,
            (
                s.person_token, dwell, scanned_at, left_at,
                point_id, if(vehicle = '' OR NOT by_carriage, '', carriage),
                if(vehicle = '', NULL, toInt32OrNull(extract(seat, '^(\\d{1,4})(?:\\D|$)'))),
                case_begin, tail_until, case_end,
                (venue_id, vehicle, run, category, flags)
            ) AS stay
        FROM ({{include:dwell_stays}}) AS s
        CROSS JOIN rules AS r
        LEFT JOIN cases AS c ON s.person_token = c.person_token
        WHERE direction = 'enter' AND scanned_at < span_end
    )
    WHERE key != ''
    GROUP BY rule_id, key, bucket
)
WHERE mine.1 != theirs.1
    AND intDiv(toUnixTimestamp(begins_at), 14400) = bucket
    AND if(instant,
        mine.3 < theirs.3 AND theirs.3 < mine.4 AND theirs.3 >= greatest(mine.8, rule_begin) AND theirs.3 < least(mine.10, rule_end),
        begins_at < ends_at)
    AND (grain != 'point' OR mine.5 = theirs.5)
    AND (mine.6 = '' OR theirs.6 = '' OR mine.6 = theirs.6)
    AND (seat_rows IS NULL OR mine.6 != theirs.6 OR ifNull(abs(mine.7 - theirs.7) <= seat_rows, true))
