-- Stays that began in half-hours before it end where they were settled: what may change an end was made at most 24 h after
-- the beginning, so before the last settlement, and none of it was stored since. None where nothing is settled, or when a
-- category has other minutes than then.
    (
        SELECT toInt64(intDiv(toUnixTimestamp(min(at)), 1800)) - 48
        {{include:settled_when}}
    ) AS settled_slots
