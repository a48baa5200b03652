-- A visit by person as it is stored, out of one with all its columns: `visits` of any version, or `visits_input` made even.
    person_token, scanned_at, direction, venue_id, point_id, vehicle, run, carriage, seat, channel, category, area_code,
    lat, lon, colour, labels, status_version,
    intDiv(toUnixTimestamp64Milli(scanned_at), 1000) - status_age_s AS status_second,
    decision,
    toUnixTimestamp64Milli(stay_until) - toUnixTimestamp64Milli(scanned_at) AS stay_ms,
    flags,
    toInt64(reinterpretAsUInt64(reverse(substring(UUIDToNum(scan_id), 1, 6)))) - toUnixTimestamp64Milli(scanned_at)
        AS scan_id_ms,
    toFixedString(substring(UUIDToNum(scan_id), 7, 10), 10) AS scan_id_rest,
    gateway,
    toUnixTimestamp64Milli(processed_at) - toUnixTimestamp64Milli(scanned_at) AS processed_ms,
    source_topic, source_partition, source_offset
