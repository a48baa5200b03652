-- Who was in which cell for longer than the hours of the rule `asked`, in its days before `span_end`: of the people in
-- `pairs`.
SELECT person_token, a.cell_800m AS cell
FROM
(
    WITH scans AS
    (
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE hours_clause = 'on'
            AND person_token IN (SELECT arrayJoin([case_token, contact_token]) FROM pairs)
            AND scanned_at >= span_end - toIntervalDay(asked.12) - toIntervalHour(24)
            AND scanned_at <= span_end + toIntervalHour(24)
    )
    SELECT
        person_token, venue_id,
        toUnixTimestamp64Milli(greatest(scanned_at, span_end - toIntervalDay(asked.12))) AS begins_ms,
        toUnixTimestamp64Milli(least(left_at, span_end)) AS ends_ms
    FROM ({{include:dwell_stays}})
    WHERE direction = 'enter' AND vehicle = '' AND begins_ms < ends_ms
) AS s
INNER JOIN around AS a ON s.venue_id = a.venue_id
GROUP BY person_token, cell
HAVING intervalLengthSum(begins_ms, ends_ms) > asked.11
