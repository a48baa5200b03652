-- A visit by place as it is stored, out of one with all its columns.
    place, slot, scanned_at, person_token, direction, venue_id, point_id, vehicle, run, carriage, seat, category, colour,
    flags, toUnixTimestamp64Milli(processed_at) - toUnixTimestamp64Milli(scanned_at) AS processed_ms,
    source_topic, source_partition, source_offset
