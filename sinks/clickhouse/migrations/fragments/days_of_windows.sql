-- The calendar days in the zone of the city from the first window to the last, as (begin, end) in ms since 1970. A constant:
-- half a million people would have them worked out each. While a view is only analysed, the zone is an empty text.
(
        WITH if(zone = '', 'UTC', zone) AS there
        SELECT
            arrayMap(
                day -> (
                    toUnixTimestamp64Milli(toDateTime64(toDate(day), 3, there)),
                    toUnixTimestamp64Milli(toDateTime64(toDate(day + 1), 3, there))),
                range(
                    toUInt32(toDate((SELECT min(starts_at) FROM exposure_windows), there)),
                    toUInt32(toDate((SELECT max(ends_at) FROM exposure_windows), there)) + 1))
    ) AS calendar_days
