-- The statistics views read with the rights of whoever migrated, so that a role that may select from them alone can read
-- them, and nothing of what they are made of (docs/operations.md).
CREATE OR REPLACE VIEW stats_venue_timeline DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    toStartOfHour(scanned_at) AS hour,
    toUInt64(intDiv(count(), 10) * 10) AS visits,
    toUInt64(intDiv(uniqExact(person_token), 10) * 10) AS people,
    toUInt64(intDiv(uniqExactIf(person_token, colour = 'green'), 10) * 10) AS green,
    toUInt64(intDiv(uniqExactIf(person_token, colour = 'yellow'), 10) * 10) AS yellow,
    toUInt64(intDiv(uniqExactIf(person_token, colour = 'red'), 10) * 10) AS red,
    toUInt64(intDiv(uniqExactIf(person_token, colour = 'unknown'), 10) * 10) AS unknown
FROM visits_by_place FINAL
WHERE venue_id = {venue_id:String} AND direction = 'enter'
    AND scanned_at >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND scanned_at < toStartOfHour({until:DateTime64(3, 'UTC')})
GROUP BY hour
HAVING people >= 10
ORDER BY hour
COMMENT 'Statistics. Entries at a venue by hour (UTC). Parameters: venue_id, since, until (instants, UTC; down to whole hours). Columns: hour (instant: its beginning), visits, people, and people by the colour they showed, each rounded down to tens; an hour of fewer than 10 people is not shown';

CREATE OR REPLACE VIEW stats_hotspots DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    toStartOfHour(v.scanned_at) AS hour,
    n.cell AS cell,
    toUInt64(intDiv(count(), 10) * 10) AS visits,
    toUInt64(intDiv(uniqExact(v.person_token), 10) * 10) AS people
FROM
(
    SELECT venue_id, scanned_at, person_token
    FROM visits_by_place FINAL
    WHERE direction = 'enter' AND vehicle = ''
        AND scanned_at >= toStartOfHour({since:DateTime64(3, 'UTC')})
        AND scanned_at < toStartOfHour({until:DateTime64(3, 'UTC')})
) AS v
INNER JOIN
(
    SELECT
        venue_id,
        if(ifNull({grid:Nullable(String)}, 'cell_800m') = 'h3',
            h3ToString(geoToH3(assumeNotNull(lat), assumeNotNull(lon), 8)), cell_800m) AS cell
    FROM venues FINAL
    WHERE lat IS NOT NULL AND lon IS NOT NULL
        AND NOT throwIf(ifNull({grid:Nullable(String)}, 'cell_800m') NOT IN ('cell_800m', 'h3'), 'grid must be cell_800m or h3')
) AS n ON v.venue_id = n.venue_id
GROUP BY hour, cell
HAVING people >= 10
ORDER BY hour, people DESC, cell
COMMENT 'Statistics. Entries by cell and hour (UTC); scans on trips are in no cell. Parameters: since, until (instants, UTC; down to whole hours), grid (cell_800m unless given, or h3: resolution 8). Columns: hour (instant: its beginning), cell (id), visits, people, each rounded down to tens; a cell of fewer than 10 people is not shown';

CREATE OR REPLACE VIEW venue_timeline DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT * FROM stats_venue_timeline(
    venue_id = {venue_id:String}, since = {since:DateTime64(3, 'UTC')}, until = {until:DateTime64(3, 'UTC')})
COMMENT 'Statistics. The same as stats_venue_timeline';

CREATE OR REPLACE VIEW hotspots DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT * FROM stats_hotspots(
    since = {since:DateTime64(3, 'UTC')}, until = {until:DateTime64(3, 'UTC')}, grid = {grid:Nullable(String)})
COMMENT 'Statistics. The same as stats_hotspots';
