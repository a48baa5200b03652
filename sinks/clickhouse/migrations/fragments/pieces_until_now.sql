-- Every piece of time, in ms since 1970, that a stay of a case and one of somebody else have in common at one place under
-- the rule `asked`, out of the relation `ended`; `cases` as there. A stay is (1 person, 2 begin, 3 end, 4 end of the tail,
-- 5 point, 6 carriage, 7 row, 8 dwell, 9 venue, 10 late, 11 counted from, 12 counted until; 0 where it is of no case).
-- Stays fall into buckets of four hours, so that only stays near each other in time are compared; a piece is found in the
-- bucket in which it begins, once.
SELECT
    mine.1 AS case_token, theirs.1 AS contact_token, place_key, theirs.9 AS venue_id, theirs.10 AS late,
    theirs.2 >= mine.3 AS in_tail,
    greatest(mine.2, theirs.2, mine.11) AS begin_ms,
    if(asked.4, theirs.2, least(theirs.3, if(in_tail, mine.4, mine.3), mine.12)) AS end_ms,
    mine.8 AS case_dwell,
    if(asked.4, 'none', theirs.8) AS contact_dwell
FROM
(
    SELECT place_key, bucket, arrayJoin(groupArrayIf(stay, stay.12 > 0)) AS mine, arrayJoin(groupArray(stay)) AS theirs
    FROM
    (
        SELECT
            place_key,
            end + least(end - begin, asked.8) AS tail_until,
            arrayJoin(range(
                toUInt32(intDiv(begin, 14400000)),
                toUInt32(intDiv(if(c.case_end > 0, tail_until, end), 14400000) + 1))) AS bucket,
            (
                e.person_token, begin, end, tail_until,
                {{include:within_place}},
                dwell, venue_id, late, c.case_begin, c.case_end
            ) AS stay
        FROM ended AS e
        LEFT JOIN cases AS c ON e.person_token = c.person_token
    )
    GROUP BY place_key, bucket
)
WHERE mine.1 != theirs.1
    AND intDiv(begin_ms, 14400000) = bucket
    AND if(asked.4, mine.2 < theirs.2 AND theirs.2 < mine.3 AND mine.11 <= theirs.2 AND theirs.2 < mine.12, begin_ms < end_ms)
    AND mine.5 = theirs.5
    AND (mine.6 = '' OR theirs.6 = '' OR mine.6 = theirs.6)
    AND (mine.6 != theirs.6 OR ifNull(abs(mine.7 - theirs.7) <= asked.10, true))
