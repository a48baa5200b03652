-- One row a person who was with the case, out of the stretches of time [begin_ms, end_ms) that they were there both.
lower(hex(person_token)) AS contact,
    toUInt64(intDiv(intervalLengthSum(begin_ms, end_ms), 1000)) AS overlap_s,
    fromUnixTimestamp64Milli(min(begin_ms), 'UTC') AS first_meeting,
    fromUnixTimestamp64Milli(max(end_ms), 'UTC') AS last_together,
    arraySort(groupUniqArray(venue_id)) AS venues
