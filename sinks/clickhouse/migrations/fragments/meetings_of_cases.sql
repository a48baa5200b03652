-- Meetings: what the pieces of one case and one person at one place cover, in stretches without a gap.
SELECT
    rule, case_token, contact_token, key,
    min(begins_at) AS overlap_start, max(ends_at) AS overlap_end,
    dateDiff('ms', overlap_start, overlap_end) AS overlap_ms,
    min(in_tail) AS indirect,
    arraySort(groupUniqArray(case_dwell)) AS case_dwells, arraySort(groupUniqArray(contact_dwell)) AS contact_dwells,
    min((begins_at, there)).2 AS met
FROM
(
    SELECT
        *,
        countIf(begins_at > covered_until) OVER
        (
            PARTITION BY rule, case_token, contact_token, key ORDER BY begins_at, ends_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS stretch
    FROM
    (
        SELECT
            *,
            max(ends_at) OVER
            (
                PARTITION BY rule, case_token, contact_token, key ORDER BY begins_at, ends_at
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS covered_until
        FROM pieces
    )
)
GROUP BY rule, case_token, contact_token, key, stretch
