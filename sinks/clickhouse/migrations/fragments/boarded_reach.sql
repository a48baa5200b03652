-- How far back to look for who boarded at a venue, as place_reach has it of each place.
{{include:boarded_key}} AS place_key,
    max(toUInt8(intDiv(toUnixTimestamp64Milli(scanned_at) + greatest(stay_ms, default_minutes * 60000), 1800000)
        - intDiv(toUnixTimestamp64Milli(scanned_at), 1800000))) AS slots
