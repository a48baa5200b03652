-- Entries that may be of somebody who met the case: as long before one of its stays as others may stay, until its tail ends.
-- A rule about venues needs the trips that were boarded there as well.
direction = 'enter'
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
            AND ((place, slot) IN (SELECT arrayJoin(m.9), {{include:slots_of_stay}} FROM (SELECT arrayJoin(mine) AS m))
                OR (asked.3 = 'venue' AND place >= 'trip:' AND place < 'trip;'
                    AND (venue_id, slot) IN (SELECT m.10, {{include:slots_of_stay}} FROM (SELECT arrayJoin(mine) AS m))))
