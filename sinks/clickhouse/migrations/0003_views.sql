-- What is visible. A visit that was written twice is one row here (FINAL); person tokens are 32 hex digits.
-- Tracers ask the parameterised views: SELECT * FROM contacts_of(person_token = '...', since = '...', until = '...').

CREATE OR REPLACE VIEW all_visits AS
SELECT
    lower(hex(person_token)) AS person_token,
    scanned_at, direction, place, venue_id, point_id, vehicle, run, carriage, seat, channel, category, area_code, lat, lon,
    colour, labels, status_version, status_age_s, decision, stay_until, flags, scan_id, gateway, processed_at,
    source_topic, source_partition, source_offset
FROM visits FINAL;

CREATE OR REPLACE VIEW all_visits_by_place AS
SELECT
    place, slot, scanned_at, lower(hex(person_token)) AS person_token, direction, venue_id, point_id, vehicle, run,
    carriage, seat, category, colour, flags, processed_at, source_topic, source_partition, source_offset
FROM visits_by_place FINAL;

CREATE OR REPLACE VIEW all_alerts AS
SELECT
    lower(hex(alert_id)) AS alert_id, level, kind, lower(hex(person_token)) AS person_token, venue_id, point_id,
    venue_name, category, area_code, lat, lon, scan_id, scanned_at, detected_at, reason, action_code, action_zh,
    action_en, rule_version
FROM alerts FINAL;

CREATE OR REPLACE VIEW all_venues AS
SELECT venue_id, organisation_id, name, category, area_code, address, lat, lon, points, status, version
FROM venues FINAL;

CREATE OR REPLACE VIEW all_health_changes AS
SELECT
    lower(hex(person_token)) AS person_token, version, colour, labels, reason, evidence, valid_from, valid_until, issuer,
    issued_at
FROM health_changes FINAL;

CREATE OR REPLACE VIEW all_exposure_windows AS
SELECT window_id, venue_id, starts_at, ends_at, title, advice, source FROM exposure_windows FINAL;

CREATE OR REPLACE VIEW all_contact_rules AS
SELECT
    rule_id, name_zh, name_en, place, overlap, min_minutes, sum_over, lookback_days, lookahead_days, indirect_tail, extra,
    source_note
FROM contact_rules FINAL;

CREATE OR REPLACE VIEW all_venue_categories AS
SELECT category, name_zh, name_en, is_vehicle, default_stay_minutes, max_stay_minutes
FROM venue_categories FINAL;

-- One person's stays that reach into [since, until).
CREATE OR REPLACE VIEW stays AS
SELECT
    lower(hex(s.person_token)) AS person_token, place, venue_id, point_id, vehicle, run, carriage, seat, category,
    scanned_at, left_at, dwell, flags
FROM ({{include:person_stays}}) AS s
WHERE left_at > {since:DateTime64(3, 'UTC')} OR scanned_at >= {since:DateTime64(3, 'UTC')}
ORDER BY scanned_at, source_topic, source_partition, source_offset;

-- One person's scans in [since, until), entries with the end of their stay.
CREATE OR REPLACE VIEW trajectory AS
SELECT
    v.scanned_at AS scanned_at, s.left_at AS left_at, s.dwell AS dwell, v.direction AS direction,
    v.venue_id AS venue_id, n.name AS venue_name, v.category AS category, v.area_code AS area_code, v.point_id AS point_id,
    v.vehicle AS vehicle, v.run AS run, v.carriage AS carriage, v.seat AS seat, v.lat AS lat, v.lon AS lon,
    v.colour AS colour, v.decision AS decision, v.channel AS channel, v.flags AS flags
FROM
(
    SELECT *
    FROM visits FINAL
    WHERE person_token = toFixedString(unhex({person_token:String}), 16)
        AND scanned_at >= {since:DateTime64(3, 'UTC')} AND scanned_at < {until:DateTime64(3, 'UTC')}
) AS v
LEFT JOIN
(
    SELECT source_topic, source_partition, source_offset, dwell, toNullable(left_at) AS left_at
    FROM ({{include:person_stays}})
) AS s USING (source_topic, source_partition, source_offset)
LEFT JOIN
(
    SELECT venue_id, name
    FROM venues FINAL
    WHERE venue_id IN
    (
        SELECT venue_id FROM visits
        WHERE person_token = toFixedString(unhex({person_token:String}), 16)
            AND scanned_at >= {since:DateTime64(3, 'UTC')} AND scanned_at < {until:DateTime64(3, 'UTC')}
    )
) AS n ON n.venue_id = v.venue_id
ORDER BY v.scanned_at, v.source_topic, v.source_partition, v.source_offset;

-- Who was with one person: each meeting in [since, until), clipped to it.
CREATE OR REPLACE VIEW meetings_of AS
{{include:meetings}}
ORDER BY overlap_start, contact;

-- Who was with one person: all meetings with one contact in one row.
CREATE OR REPLACE VIEW contacts_of AS
SELECT
    contact,
    toUInt64(intDiv(sum(overlap_ms), 1000)) AS overlap_s,
    min(overlap_start) AS first_meeting,
    max(overlap_start) AS last_meeting,
    toUInt32(count()) AS meetings,
    arraySort(groupUniqArray(venue_id)) AS venues
FROM ({{include:meetings}})
GROUP BY contact
ORDER BY overlap_s DESC, contact;

-- Everybody whose stay at a venue reaches into [since, until).
CREATE OR REPLACE VIEW visitors_of AS
WITH scans AS
(
    SELECT
        person_token, place, venue_id, point_id, vehicle, run, carriage, seat, category, scanned_at, direction, flags,
        source_topic, source_partition, source_offset
    FROM visits FINAL
    WHERE person_token IN
        (
            SELECT person_token
            FROM visits_by_place
            WHERE venue_id = {venue_id:String}
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
                AND direction = 'enter'
        )
        AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
        AND scanned_at <= {until:DateTime64(3, 'UTC')} + toIntervalHour(24)
)
SELECT
    lower(hex(s.person_token)) AS person_token, scanned_at, left_at, dwell, point_id, vehicle, run, carriage, seat,
    category, flags
FROM ({{include:stays}}) AS s
WHERE venue_id = {venue_id:String}
    AND scanned_at < {until:DateTime64(3, 'UTC')}
    AND (left_at > {since:DateTime64(3, 'UTC')} OR scanned_at >= {since:DateTime64(3, 'UTC')})
ORDER BY scanned_at, person_token;

-- Per exposure window, everybody who entered strictly inside it (rule nz_window); all windows at once.
CREATE OR REPLACE VIEW exposed_in_windows AS
SELECT
    w.window_id AS window_id,
    lower(hex(v.person_token)) AS person_token,
    min(v.scanned_at) AS first_entry,
    max(v.scanned_at) AS last_entry,
    toUInt32(count()) AS entries
FROM
(
    SELECT person_token, venue_id, scanned_at
    FROM visits_by_place FINAL
    WHERE direction = 'enter'
        AND venue_id IN (SELECT venue_id FROM exposure_windows)
        AND scanned_at > (SELECT min(starts_at) FROM exposure_windows)
        AND scanned_at < (SELECT max(ends_at) FROM exposure_windows)
) AS v
INNER JOIN (SELECT window_id, venue_id, starts_at, ends_at FROM exposure_windows FINAL) AS w ON v.venue_id = w.venue_id
WHERE v.scanned_at > w.starts_at AND v.scanned_at < w.ends_at
GROUP BY w.window_id, v.person_token;

CREATE OR REPLACE VIEW window_counts AS
{{include:windows_with_counts}}
(
    SELECT window_id, count() AS people, sum(entries) AS entries FROM exposed_in_windows GROUP BY window_id
) AS e ON e.window_id = w.window_id
ORDER BY starts_at, window_id;
