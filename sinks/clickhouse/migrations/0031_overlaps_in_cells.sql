-- Who was in the same cells of the grid with one person at all: what settled_companions_by_cell answers under a rule without
-- a minimum, in few columns and in less than half of the time, for most of that is its text (docs/decisions/0017-settled-rules.md).

CREATE OR REPLACE VIEW settled_overlaps_in_cells AS
WITH
    toFixedString(unhex({person_token:String}), 16) AS case_token,
    toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) AS span_begin,
    toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS span_end,
    (
        SELECT if(throwIf(ifNull({dwell:Nullable(String)}, 'best') NOT IN ('best', 'default'),
                'settled stays end by best or default; ask companions_by_cell for other ways'),
            [], groupArray((v.cell_800m, s.begin, s.end)))
        FROM
        (
            SELECT venue_id, {{include:settled_times}}
            FROM settled_stays FINAL
            WHERE person_token = case_token AND vehicle = ''
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
        ) AS s
        INNER JOIN (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m != '') AS v ON s.venue_id = v.venue_id
    ) AS mine,
    -- Each of these stays, at every venue of its cell, once for every half-hour in which somebody may have come who met them.
    near AS
    (
        SELECT
            c.cell AS cell, p.place_key AS place_key, c.m.2 AS begin, c.m.3 AS end,
            arrayJoin(range(toUInt32(intDiv(begin, 1800000) - p.slots), toUInt32(intDiv(end, 1800000) + 1))) AS slot
        FROM (SELECT arrayJoin(mine) AS m, m.1 AS cell) AS c
        INNER JOIN
        (
            SELECT v.cell AS cell, v.place_key AS place_key, r.slots AS slots
            FROM
            (
                SELECT cell_800m AS cell, cityHash64(concat('venue:', venue_id)) AS place_key
                FROM venues FINAL
                WHERE cell_800m IN mine.1
            ) AS v
            INNER JOIN (SELECT * FROM place_reach FINAL) AS r ON v.place_key = r.place_key
        ) AS p ON c.cell = p.cell
    )
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
COMMENT 'Tracers. Who was in a cell of the 800 m grid with one person in [since, until) at all, as of the last settlement: settled_companions_by_cell without a minimum, in fewer columns and soonest. Parameters: person_token (32 hex digits), since, until (instants, UTC), dwell (best or default; best unless given). Columns: contact (32 hex digits), overlap_s (s: time in the same cells, each instant once), first_meeting and last_together (instants: when it began for the first time and ended for the last), venues (ids: where the others were), cells (ids of cells)';
