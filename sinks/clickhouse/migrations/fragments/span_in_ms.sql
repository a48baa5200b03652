-- The time that is asked for, in ms since 1970.
toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) AS span_begin,
    toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS span_end
