-- When a settled stay begins and ends, in ms since 1970.
toUnixTimestamp64Milli(scanned_at) AS begin, begin + {{include:settled_length}} AS end
