-- Exposure windows out of settled stays (docs/decisions/0017-settled-rules.md): who was at a venue lies there by half-hour,
-- whoever boarded a vehicle as well, so that no window looks at all trips, and no stay is worked out from scans.

CREATE OR REPLACE VIEW settled_exposed_in_windows AS
WITH
    {{include:settled_windows}},
    {{include:near_windows}}
SELECT
    w.window_id AS window_id, lower(hex(t.person_token)) AS person_token,
    min(t.scanned_at) AS first_entry, max(t.scanned_at) AS last_entry, toUInt32(count()) AS entries
FROM
(
    SELECT place_key, slot, person_token, scanned_at
    FROM settled_stays_by_place FINAL
    PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM near)
) AS t
INNER JOIN near AS w ON t.place_key = w.place_key AND t.slot = w.slot
WHERE toUnixTimestamp64Milli(t.scanned_at) > w.begin AND toUnixTimestamp64Milli(t.scanned_at) < w.end
GROUP BY w.window_id, t.person_token
COMMENT 'Tracers. What exposed_in_windows answers, as of the last settlement and sooner. Parameters: window_id (all windows unless given). Columns: those of exposed_in_windows';

CREATE OR REPLACE VIEW settled_exposed_under_rule AS
WITH
    {{include:settled_windows_under_rule}},
    pieces AS
    (
        SELECT
            w.window_id AS case_token, t.person_token AS contact_token, cityHash64(t.venue_id) AS place_key,
            t.venue_id AS venue_id, t.late AS late, false AS in_tail,
            {{include:times_in_window}},
            'window' AS case_dwell, if(asked.4, 'none', t.dwell) AS contact_dwell
        FROM
        (
            SELECT
                place_key, slot, person_token, venue_id, late, {{include:settled_rows_at_near}}
        ) AS t
        {{include:stay_in_window}}
    )
SELECT
    {{include:exposed_columns}}
FROM ({{include:settled_contacts}})
COMMENT 'Tracers. What exposed_under_rule answers, as of the last settlement and sooner; in no order. Parameters: rule_id (any_overlap unless given), dwell (best or default; best unless given), window_id (all windows unless given). Columns: those of exposed_under_rule';

CREATE OR REPLACE VIEW settled_window_counts AS
{{include:windows_with_counts}}
(
    SELECT window_id, count() AS people, sum(entries) AS entries
    FROM settled_exposed_in_windows(window_id = NULL)
    GROUP BY window_id
) AS e ON e.window_id = w.window_id
ORDER BY starts_at, window_id
COMMENT 'Tracers. What window_counts answers, as of the last settlement and sooner. Columns: those of window_counts';

CREATE OR REPLACE VIEW settled_exposed_counts AS
{{include:windows_with_counts}}
(
    SELECT window_id, count() AS people, sum(times) AS entries
    FROM settled_exposed_under_rule(
        rule_id = {rule_id:Nullable(String)}, dwell = {dwell:Nullable(String)}, window_id = NULL)
    GROUP BY window_id
) AS e ON e.window_id = w.window_id
ORDER BY starts_at, window_id
COMMENT 'Tracers. What exposed_counts answers, as of the last settlement and sooner. Parameters: rule_id (any_overlap unless given), dwell (best or default; best unless given). Columns: those of exposed_counts';
