-- The calendar days of [since, until) in the zone of the city, and those around them, as (begin, end) in ms since 1970.
-- `materialize`: while a view is only analysed, the zone is an empty text, with which nothing must be worked out yet.
arrayMap(
        day -> toUnixTimestamp64Milli(toDateTime64(toDate(day), 3, zone)),
        range(
            materialize(toUInt32(toDate({since:DateTime64(3, 'UTC')}) - 1)),
            toUInt32(toDate({until:DateTime64(3, 'UTC')}) + 3))) AS midnights,
    arrayZip(arrayPopBack(midnights), arrayPopFront(midnights)) AS calendar_days
