-- Entries with the end of their stay under `best` (docs/co-presence.md), out of a relation `scans` in the order of each
-- person's scans; `known` has the minutes of the categories. One array a person: no sorting, no windows.
-- A start is an entry elsewhere than the entry before it; `next_ms` is when the next one begins, -1 where none does.
SELECT
    person_token, scan.3 AS place_key, fromUnixTimestamp64Milli(scan.1, 'UTC') AS scanned_at,
    scan.5 AS venue_id, scan.6 AS point_id, scan.7 AS vehicle, scan.8 AS run, scan.9 AS carriage, scan.10 AS seat,
    scan.11 AS category, scan.12 AS late, scan.13 AS source_topic, scan.14 AS source_partition, scan.15 AS source_offset,
    toUInt16(transform(category, known.1, known.2, 60)) AS default_minutes,
    multiIf(
        end.2 >= scan.1 AND end.2 <= scan.1 + 86400000, 'explicit',
        end.1 >= scan.1 AND end.1 <= scan.1 + 60000 * transform(category, known.1, known.3, 240), 'next_scan',
        'default') AS dwell,
    toUInt32(multiIf(dwell = 'explicit', end.2 - scan.1, dwell = 'next_scan', end.1 - scan.1, 60000 * default_minutes)) AS stay_ms,
    end.1 AS next_ms, end.2 AS leave_ms
FROM
(
    SELECT
        person_token, scans,
        arrayFilter(scan -> NOT scan.2, arrayMap((scan, number) -> (scan.1, scan.2, scan.4, number), scans, numbers)) AS leaves,
        arrayMap(
            (scan, number, next_ms, next_number) -> (next_ms, arrayFirst(
                leave -> leave.4 > number AND leave.4 < next_number AND leave.3 = scan.4, leaves).1),
            scans, numbers, next_times, next_numbers) AS ends
    FROM
    (
        SELECT
            person_token, scans, numbers,
            arrayMap((scan, before) -> scan.2 AND scan.3 != before, scans,
                arrayPushFront(arrayPopBack(arrayFill((key, enters) -> enters, scans.3, scans.2)), toUInt64(0))) AS starts,
            arrayReverseFill(at -> at != 0, arrayPushBack(arrayPopFront(
                arrayMap((at, begins) -> if(begins, at, 0), scans.1, starts)), toInt64(-1))) AS next_times,
            arrayReverseFill(number -> number != 0, arrayPushBack(arrayPopFront(
                arrayMap((number, begins) -> if(begins, number, 0), numbers, starts)), toUInt32(length(scans) + 1))) AS next_numbers
        FROM
        (
            SELECT person_token, scans, arrayEnumerate(scans) AS numbers
            FROM
            (
                SELECT
                    person_token,
                    groupArray((
                        toUnixTimestamp64Milli(scanned_at), direction = 'enter', cityHash64(place), cityHash64(venue_id),
                        venue_id, point_id, vehicle, run, carriage, seat, toString(category), has(flags, 'late'),
                        toString(source_topic), source_partition, source_offset)) AS scans
                FROM scans
                GROUP BY person_token
            )
        )
    )
)
ARRAY JOIN scans AS scan, ends AS end
WHERE scan.2
