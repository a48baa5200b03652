-- The stays of one person that begin in [since - 24 h, until): no stay is longer than 24 h, so all that reach into
-- [since, until) are among them.
WITH scans AS
(
    SELECT
        person_token, place, venue_id, point_id, vehicle, run, carriage, seat, category, scanned_at, direction, flags,
        source_topic, source_partition, source_offset
    FROM visits FINAL
    WHERE person_token = toFixedString(unhex({person_token:String}), 16)
        AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
        AND scanned_at <= {until:DateTime64(3, 'UTC')} + toIntervalHour(24)
)
SELECT * FROM ({{include:stays}}) WHERE scanned_at < {until:DateTime64(3, 'UTC')}
