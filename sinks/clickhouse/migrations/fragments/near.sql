-- Entries at a place and time in reach of a case. Rules about venues see the trips that were boarded there as well.
direction = 'enter'
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
            AND ((place, slot) IN (SELECT place, slot FROM reach)
                OR (reached.1 AND place >= 'trip:' AND place < 'trip;'
                    AND (venue_id, slot) IN (SELECT venue_id, slot FROM reach)))
