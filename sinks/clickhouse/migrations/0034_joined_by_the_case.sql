-- One person's contacts out of settled stays, without a table of all places or all venues kept in memory for each question: of
-- two sides a join keeps the one that comes second, and it is the person's stays now (docs/decisions/0015-settled-stays.md).

CREATE OR REPLACE VIEW settled_overlaps_of AS
WITH
    [toFixedString(unhex({person_token:String}), 16)] AS case_tokens,
    toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) AS span_begin,
    toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS span_end,
{{include:settled_meetings_by_reach}}
SELECT
    {{include:settled_overlap_columns}}
FROM
(
    {{include:settled_met}}
)
GROUP BY person_token
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. Who was with one person in [since, until) at all, as of the last settlement: the quickest answer there is. Parameters: person_token (32 hex digits), since, until (instants, UTC), dwell (best or default; best unless given). Columns: contact (32 hex digits), overlap_s (s: time together, each instant once), first_meeting and last_together (instants: when it began for the first time and ended for the last), venues (ids)';

CREATE OR REPLACE VIEW settled_contacts_of AS
WITH
    {{include:settled_asked_of_trips}},
    {{include:city_zone}},
    {{include:days_of_span}},
{{include:one_case_in_ms}}
{{include:settled_case_by_reach}},
{{include:settled_together}}
SELECT
    {{include:contact_columns}}
FROM ({{include:settled_contacts}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What contacts_of answers, as of the last settlement and sooner. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given; one about venues or trips, not about venues alone), dwell (best or default; best unless given). Columns: those of contacts_of';

CREATE OR REPLACE VIEW settled_overlaps_in_cells AS
WITH
    toFixedString(unhex({person_token:String}), 16) AS case_token,
    toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) AS span_begin,
    toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS span_end,
    (
        SELECT if(throwIf(ifNull({dwell:Nullable(String)}, 'best') NOT IN ('best', 'default'),
                'settled stays end by best or default; ask companions_by_cell for other ways'),
            [], groupArray((v.cell_800m, s.begin, s.end)))
        FROM (SELECT venue_id, cell_800m FROM venues FINAL WHERE cell_800m != '') AS v
        INNER JOIN
        (
            SELECT venue_id, {{include:settled_times}}
            FROM settled_stays FINAL
            WHERE person_token = case_token AND vehicle = ''
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
        ) AS s ON s.venue_id = v.venue_id
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
            FROM (SELECT * FROM place_reach FINAL) AS r
            INNER JOIN
            (
                SELECT cell_800m AS cell, cityHash64(concat('venue:', venue_id)) AS place_key
                FROM venues FINAL
                WHERE cell_800m IN (SELECT arrayJoin(mine.1))
            ) AS v ON v.place_key = r.place_key
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
