-- A settled stay on a trip as it lies at the venue where the vehicle was boarded.
{{include:boarded_key}} AS place_key, toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800)) AS slot, scanned_at,
    person_token, venue_id, point_id, vehicle, run, carriage, seat, category, late, default_minutes, dwell, stay_ms, settlement,
    source_topic, source_partition, source_offset
