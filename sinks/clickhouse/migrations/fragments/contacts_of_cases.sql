-- Contacts: all meetings of one case with one person in one row, where they last long enough for the rule.
-- Minutes are counted once, however many places and stays give them.
SELECT
    c.*,
    multiIf(
        r.sum_over = 'single_meeting', toInt64(longest_ms),
        toInt64(arrayMax(
            span -> arrayReduce('intervalLengthSum',
                arrayMap(part -> least(greatest(part.1, span.1), span.2), parts),
                arrayMap(part -> least(greatest(part.2, span.1), span.2), parts)),
            if(r.sum_over = 'rolling_24h',
                arrayMap(part -> (part.1, part.1 + 86400000), parts),
                arrayMap(
                    day -> (toUnixTimestamp64Milli(toDateTime64(toDate(day), 3, zone)),
                        toUnixTimestamp64Milli(toDateTime64(toDate(day + 1), 3, zone))),
                    arrayDistinct(arrayFlatten(arrayMap(
                        part -> range(
                            toUInt32(toDate(fromUnixTimestamp64Milli(part.1), zone)),
                            toUInt32(toDate(fromUnixTimestamp64Milli(part.2), zone)) + 1),
                        parts)))))))) AS counted_ms,
    r.version AS rule_version
FROM
(
    SELECT
        rule_id, case_token, contact_token,
        arrayMap(part -> (toUnixTimestamp64Milli(part.1), toUnixTimestamp64Milli(part.2)), groupArray((overlap_start, overlap_end))) AS parts,
        arrayReduce('intervalLengthSum', parts.1, parts.2) AS overlap_ms,
        groupArrayArray(direct) AS directs,
        arrayReduce('intervalLengthSum', directs.1, directs.2) AS direct_ms,
        max(m.overlap_ms) AS longest_ms,
        min(overlap_start) AS first_meeting, max(overlap_start) AS last_meeting, toUInt32(count()) AS meetings,
        min(m.indirect) AS indirect,
        arraySort(groupUniqArrayArray(m.venues)) AS venues,
        arraySort(groupUniqArrayArray(m.case_dwells)) AS case_dwells,
        arraySort(groupUniqArrayArray(m.contact_dwells)) AS contact_dwells,
        max(m.late) AS late
    FROM ({{include:meetings_of_cases}}) AS m
    GROUP BY rule_id, case_token, contact_token
) AS c
INNER JOIN rules AS r ON c.rule_id = r.rule_id
WHERE if(strict, counted_ms > min_ms, counted_ms >= min_ms)
