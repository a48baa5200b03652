-- Stays (`ended`; times in ms since 1970) of `cases` (person_token, case_begin, case_end: ms), and of everybody who may have
-- met one of them under the rule `asked` in [span_begin, span_end), at the places and half-hours of `reach`.
-- A stay is read as it was settled unless a scan since may have ended it. Worked out from scans are the stays of those who
-- have one (`scanned_since`) and of those who entered since. A stay may come out of both, alike: no minute counts twice.
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
        PREWHERE (person_token, toDate(scanned_at)) IN
            (
                SELECT person_token, arrayJoin([toDate(known_until) - 1, toDate(known_until), toDate(known_until) + 1])
                FROM scanned_since
                UNION DISTINCT
                {{include:days_of_entries}}
                    AND scanned_at >= known_until
                    AND ((place, slot) IN
                        (
                            SELECT arrayJoin(if(asked.3 = 'venue', [place, concat('venue:', venue_id)], [place])), slot
                            FROM reach
                            WHERE live
                        )
                        OR (asked.3 = 'venue' AND place >= 'trip:' AND place < 'trip;'
                            AND (venue_id, slot) IN (SELECT venue_id, slot FROM reach)))
            )
        WHERE scanned_at >= greatest(span_begin - toIntervalHour(24), fromUnixTimestamp64Milli(live_from * 1800000, 'UTC'))
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
        PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM reach)
        WHERE ({{include:settled_for_good}}
                OR (scanned_at < known_until AND person_token NOT IN (SELECT person_token FROM scanned_since)))
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
    )
