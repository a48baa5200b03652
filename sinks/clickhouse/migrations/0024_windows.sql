-- Everybody in all exposure windows, sooner: venues and trips are read apart, so that either finds its granules by an index,
-- and what is near a window is told by a hash before anything is joined (docs/decisions/0015-settled-stays.md).
CREATE OR REPLACE VIEW exposed_in_windows AS
WITH
    window_slots AS
    (
        SELECT
            window_id, venue_id, concat('venue:', venue_id) AS place,
            toUnixTimestamp64Milli(starts_at) AS starts_ms, toUnixTimestamp64Milli(ends_at) AS ends_ms,
            arrayJoin(range(
                toUInt32(intDiv(toUnixTimestamp(starts_at), 1800)),
                toUInt32(intDiv(toUnixTimestamp(ends_at), 1800) + 1))) AS slot
        FROM exposure_windows FINAL
        WHERE starts_at < ends_at
    )
SELECT
    w.window_id AS window_id,
    lower(hex(v.person_token)) AS person_token,
    min(v.scanned_at) AS first_entry,
    max(v.scanned_at) AS last_entry,
    toUInt32(count()) AS entries
FROM
(
    SELECT person_token, venue_id, slot, scanned_at
    FROM visits_by_place FINAL
    PREWHERE indexHint((place, slot) IN (SELECT place, slot FROM window_slots))
        AND cityHash64(place, slot) IN (SELECT cityHash64(place, slot) FROM window_slots)
    WHERE direction = 'enter' AND toDate(scanned_at) IN (SELECT toDate(toDateTime(slot * 1800, 'UTC')) FROM window_slots)
    UNION ALL
    SELECT person_token, venue_id, slot, scanned_at
    FROM visits_by_place FINAL
    PREWHERE place >= 'trip:' AND place < 'trip;'
        AND venue_id IN (SELECT venue_id FROM window_slots)
        AND cityHash64(venue_id, slot) IN (SELECT cityHash64(venue_id, slot) FROM window_slots)
    WHERE direction = 'enter' AND toDate(scanned_at) IN (SELECT toDate(toDateTime(slot * 1800, 'UTC')) FROM window_slots)
) AS v
-- A venue's half-hour, and its own name: two that have one hash stay apart.
INNER JOIN window_slots AS w ON v.venue_id = w.venue_id AND v.slot = w.slot
WHERE toUnixTimestamp64Milli(v.scanned_at) > w.starts_ms AND toUnixTimestamp64Milli(v.scanned_at) < w.ends_ms
GROUP BY w.window_id, v.person_token
COMMENT 'Tracers. Per exposure window, everybody who entered strictly inside it (rule nz_window). Columns: window_id, person_token (32 hex digits), first_entry and last_entry (instants), entries (number)';
