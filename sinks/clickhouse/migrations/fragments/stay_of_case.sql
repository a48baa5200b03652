-- A stay of the case as the pairs need it: key, begin, end, point, carriage, row, end of the tail, dwell, places, venue.
(
            {{include:place_key}}, scanned_at, left_at,
            {{include:within_place}},
            left_at + toIntervalMillisecond(least(dateDiff('ms', scanned_at, left_at), asked.8)),
            dwell, if(asked.3 = 'venue', [place, concat('venue:', venue_id)], [place]), venue_id)
