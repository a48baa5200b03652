-- Who entered at a place of `reach`, or, for rules about venues, boarded a trip there.
AND ((place, slot) IN
                        (
                            SELECT arrayJoin(if(asked.3 = 'venue', [place, concat('venue:', venue_id)], [place])), slot
                            FROM reach
                            WHERE live
                        )
                        OR (asked.3 = 'venue' AND place >= 'trip:' AND place < 'trip;'
                            AND (venue_id, slot) IN (SELECT venue_id, slot FROM reach)))
