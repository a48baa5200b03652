-- Stays (`ended`; times in ms since 1970) of `cases` (person_token, case_begin, case_end: ms), and of everybody who may have
-- met one of them under the rule `asked` in [span_begin, span_end).
-- What is settled for good is read as it was settled, as far back as anybody stayed at that place. What is younger may still
-- change: candidates by (place, slot), with the longest stay there is, 24 h, and the longest tail, 4 h; then their scans of
-- those days, for the true ends of their stays. A stay may come out of both, alike: no minute counts twice.
-- A rule about venues needs the trips that were boarded there as well, and the time after a repeated entry on the same trip
-- from another venue; nothing of it is settled, and neither are stays that end otherwise than by best or default.
{{include:settled_slots}},
    if(dwell_mode IN ('best', 'default') AND asked.3 IN ('venue_or_trip', 'point'), settled_slots, 0) AS live_from,
    reach AS
    (
        SELECT
            w.place AS place, w.venue_id AS venue_id, w.place_key AS place_key,
            arrayJoin(arrayFilter(each -> each >= w.first_live OR each + r.slots >= w.first_slot,
                range(toUInt32(w.first_slot - 48), toUInt32(least(w.next_slot, w.first_slot + 48) + 10)))) AS slot,
            slot >= w.first_live AS live
        FROM
        (
            SELECT
                place, venue_id, cityHash64(place) AS place_key, live_from AS first_live,
                {{include:slots_of_entry}}
            FROM visits FINAL
            WHERE person_token IN (SELECT person_token FROM cases)
                AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
                AND direction = 'enter'
        ) AS w
        LEFT JOIN (SELECT * FROM place_reach FINAL) AS r ON w.place_key = r.place_key
    ),
    scans AS
    (
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE person_token IN (SELECT person_token FROM cases)
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at <= span_end + toIntervalHour(24)
        UNION ALL
        -- Apart, for the weeks of which everything is settled are not looked at then.
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE (person_token, toDate(scanned_at)) IN
            (
                {{include:days_of_entries}}
                    AND ((place, slot) IN
                        (
                            SELECT arrayJoin(if(asked.3 = 'venue', [place, concat('venue:', venue_id)], [place])), slot
                            FROM reach
                            WHERE live
                        )
                        OR (asked.3 = 'venue' AND place >= 'trip:' AND place < 'trip;'
                            AND (venue_id, slot) IN (SELECT venue_id, slot FROM reach)))
            )
            AND scanned_at >= greatest(span_begin - toIntervalHour(24), fromUnixTimestamp64Milli(live_from * 1800000, 'UTC'))
            AND scanned_at <= span_end + toIntervalHour(24)
            AND person_token NOT IN (SELECT person_token FROM cases)
    ),
    ended AS
    (
        SELECT
            person_token, if(asked.3 = 'venue', cityHash64(venue_id), cityHash64(place)) AS place_key, venue_id, point_id, vehicle,
            carriage, seat, toUnixTimestamp64Milli(scanned_at) AS begin, toUnixTimestamp64Milli(left_at) AS end, dwell,
            has(flags, 'late') AS late
        FROM ({{include:dwell_stays}})
        WHERE direction = 'enter' AND scanned_at < span_end
        UNION ALL
        SELECT
            person_token, place_key, venue_id, point_id, vehicle, carriage, seat, toUnixTimestamp64Milli(scanned_at) AS begin,
            begin + {{include:settled_length}} AS end, {{include:settled_dwell}} AS dwell, late
        FROM settled_stays_by_place FINAL
        PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM reach WHERE NOT live)
        WHERE scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
    )
