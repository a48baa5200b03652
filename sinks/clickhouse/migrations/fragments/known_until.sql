-- Until when scans were settled, for questions that settled stays know an answer to, else 1970; and the half-hour from which
-- on what was settled may still change.
-- A rule about venues needs the trips that were boarded there as well, and the time after a repeated entry on the same trip
-- from another venue; nothing of it is settled, and neither are stays that end otherwise than by best or default.
{{include:settled_at}},
    if(dwell_mode IN ('best', 'default') AND asked.3 IN ('venue_or_trip', 'point'), settled_at, toDateTime64(0, 3, 'UTC')) AS known_until,
    toInt64(intDiv(toUnixTimestamp(known_until), 1800)) - 48 AS live_from
