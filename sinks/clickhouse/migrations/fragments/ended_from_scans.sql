-- Stays out of `scans`.
SELECT
            person_token, if(asked.3 = 'venue', cityHash64(venue_id), cityHash64(place)) AS place_key, venue_id, point_id, vehicle,
            carriage, seat, toUnixTimestamp64Milli(scanned_at) AS begin, toUnixTimestamp64Milli(left_at) AS end, dwell,
            has(flags, 'late') AS late
        FROM ({{include:dwell_stays}})
        WHERE direction = 'enter' AND scanned_at < span_end
