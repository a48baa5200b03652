-- The half-hours in which an entry of a case was made, and in which its stay has ended at the latest.
toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800)) AS first_slot,
            toUInt32(intDiv(toUnixTimestamp(if(dwell_mode = 'default' OR asked.3 = 'venue', scanned_at + toIntervalHour(24),
                leadInFrame(scanned_at, 1, scanned_at + toIntervalHour(24)) OVER
                (
                    PARTITION BY person_token ORDER BY scanned_at, source_topic, source_partition, source_offset
                    ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
                ))), 1800)) AS next_slot
