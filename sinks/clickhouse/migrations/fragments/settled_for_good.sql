-- Whether nothing that is stored later changes this settled stay: its end was scanned before `known_until`, or what ends it
-- is made at most 24 h after it began, and that is before `known_until` too.
(slot < live_from OR (scanned_at < known_until
                AND (dwell_mode = 'default' OR (dwell != 'default' AND scanned_at + toIntervalMillisecond(stay_ms) < known_until))))
