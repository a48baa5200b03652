-- The half-hours of `m`, with `most_slots` before it.
arrayJoin(range(
                    toUInt32(intDiv(toUnixTimestamp(m.2), 1800) - most_slots),
                    toUInt32(intDiv(toUnixTimestamp(m.7), 1800) + 1)))
