-- The days of the span in the city's time zone, as milliseconds since 1970. `materialize`: while a view is only analysed,
-- the zone is an empty text, with which nothing must be worked out yet.
arrayMap(
                day -> (toUnixTimestamp64Milli(toDateTime64(toDate(day), 3, zone)),
                    toUnixTimestamp64Milli(toDateTime64(toDate(day + 1), 3, zone))),
                range(toUInt32(toDate(materialize(span_begin), zone)), toUInt32(toDate(materialize(span_end), zone)) + 1))
