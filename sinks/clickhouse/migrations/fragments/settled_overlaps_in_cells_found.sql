-- The answer of settled_overlaps_in_cells, out of `near`, and what its comment says.
SELECT
    {{include:settled_overlap_columns}},
    arraySort(groupUniqArray(cell)) AS cells
FROM
(
    SELECT
        t.person_token AS person_token, t.venue_id AS venue_id, near.cell AS cell,
        greatest(near.begin, t.begin, span_begin) AS begin_ms, least(near.end, t.end, span_end) AS end_ms
    FROM
    (
        SELECT place_key, slot, person_token, venue_id, {{include:settled_times}}
        FROM settled_stays_by_place FINAL
        PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM near)
    ) AS t
    INNER JOIN near ON t.place_key = near.place_key AND t.slot = near.slot
    WHERE begin_ms < end_ms AND t.person_token != case_token
)
GROUP BY person_token
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. Who was in a cell of the 800 m grid with one person in [since, until) at all, as of the last settlement: settled_companions_by_cell without a minimum, in fewer columns and soonest. Parameters: person_token (32 hex digits), since, until (instants, UTC), dwell (best or default; best unless given). Columns: contact (32 hex digits), overlap_s (s: time in the same cells, each instant once), first_meeting and last_together (instants: when it began for the first time and ended for the last), venues (ids: where the others were), cells (ids of cells)'
