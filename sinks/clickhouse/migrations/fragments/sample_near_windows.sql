-- Entries of the sample `part` at the venues of `windows`, found by place: at times from `slots_before` half-hours before on.
near_windows AS
    (
        WITH window_slots AS
        (
            SELECT
                venue_id, concat('venue:', venue_id) AS place,
                arrayJoin(range(
                    toUInt32(intDiv(toUnixTimestamp(starts_at), 1800) - slots_before),
                    toUInt32(intDiv(toUnixTimestamp(ends_at), 1800) + 1))) AS slot
            FROM windows
            WHERE by_place
        )
        SELECT person_token, venue_id, scanned_at
        FROM visits_by_place
        WHERE by_place AND part > 0 AND person_token < sample_end AND direction = 'enter'
            AND toDate(scanned_at) IN (SELECT toDate(toDateTime(slot * 1800, 'UTC')) FROM window_slots)
            AND ((place, slot) IN (SELECT place, slot FROM window_slots)
                OR (place >= 'trip:' AND place < 'trip;'
                    AND venue_id IN (SELECT venue_id FROM windows)
                    AND (venue_id, slot) IN (SELECT venue_id, slot FROM window_slots)))
    )
