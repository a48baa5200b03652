-- Meetings of one person in [since, until). Two steps: candidates by (place, slot) with the longest stay there is, 24 h;
-- then only their scans of those days, for the true ends of their stays.
WITH
    (
        SELECT groupArray((place, scanned_at, left_at, dwell))
        FROM ({{include:person_stays}})
        WHERE left_at > greatest(scanned_at, {since:DateTime64(3, 'UTC')})
    ) AS mine,
    slots AS
    (
        SELECT DISTINCT
            stay.1 AS place,
            arrayJoin(range(
                toUInt32(intDiv(toUnixTimestamp(stay.2), 1800) - 48),
                toUInt32(intDiv(toUnixTimestamp(least(stay.3, {until:DateTime64(3, 'UTC')})), 1800) + 1))) AS slot
        FROM (SELECT arrayJoin(mine) AS stay)
    ),
    candidates AS
    (
        SELECT DISTINCT person_token, arrayJoin([toDate(scanned_at), toDate(scanned_at) + 1]) AS day
        FROM visits_by_place
        WHERE (place, slot) IN (SELECT place, slot FROM slots)
            AND direction = 'enter'
            AND person_token != toFixedString(unhex({person_token:String}), 16)
            AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
            AND scanned_at < {until:DateTime64(3, 'UTC')}
    ),
    scans AS
    (
        SELECT
            person_token, place, venue_id, vehicle, run, category, scanned_at, direction,
            source_topic, source_partition, source_offset
        FROM visits FINAL
        WHERE (person_token, toDate(scanned_at)) IN (SELECT person_token, day FROM candidates)
            AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
            AND scanned_at <= {until:DateTime64(3, 'UTC')} + toIntervalHour(24)
    )
SELECT
    lower(hex(t.person_token)) AS contact,
    t.place AS place, t.venue_id AS venue_id, t.vehicle AS vehicle, t.run AS run, t.category AS category,
    greatest(m.stay.2, t.scanned_at, {since:DateTime64(3, 'UTC')}) AS overlap_start,
    least(m.stay.3, t.left_at, {until:DateTime64(3, 'UTC')}) AS overlap_end,
    dateDiff('ms', overlap_start, overlap_end) AS overlap_ms,
    m.stay.4 AS person_dwell, t.dwell AS contact_dwell
FROM ({{include:stays}}) AS t
INNER JOIN (SELECT arrayJoin(mine) AS stay, stay.1 AS place) AS m ON t.place = m.place
WHERE overlap_start < overlap_end
