-- Who may have met one of `cases` (person_token, case_begin, case_end) under the rule `asked` in [span_begin, span_end),
-- and their scans. Two steps: candidates by (place, slot), with the longest stay there is, 24 h, and the longest tail, 4 h;
-- then only their scans of those days, for the true ends of their stays. A rule about venues needs the trips that were
-- boarded there as well, and the time after a repeated entry on the same trip from another venue.
    reach AS
    (
        SELECT
            place, venue_id,
            {{include:slots_of_entry}},
            arrayJoin(range(toUInt32(first_slot - 48), toUInt32(least(next_slot, first_slot + 48) + 10))) AS slot
        FROM visits FINAL
        WHERE person_token IN (SELECT person_token FROM cases)
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
            AND direction = 'enter'
    ),
    scans AS
    (
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE (person_token, toDate(scanned_at)) IN
            (
                {{include:days_of_entries}}
                    AND ((place, slot) IN
                        (SELECT arrayJoin(if(asked.3 = 'venue', [place, concat('venue:', venue_id)], [place])), slot FROM reach)
                        OR (asked.3 = 'venue' AND place >= 'trip:' AND place < 'trip;'
                            AND (venue_id, slot) IN (SELECT venue_id, slot FROM reach)))
            )
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at <= span_end + toIntervalHour(24)
    )
