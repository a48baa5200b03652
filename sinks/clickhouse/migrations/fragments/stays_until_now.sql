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
        {{include:reach_of_cases}}
    ),
    scans AS
    (
        {{include:scans_of_cases}}
        UNION ALL
        -- Apart, for the weeks of which everything is settled are not looked at then.
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE (person_token, toDate(scanned_at)) IN
            (
                {{include:days_of_entries}}
                    {{include:entered_in_reach}}
            )
            AND {{include:live_scans_of_others}}
    ),
    ended AS
    (
        {{include:ended_from_scans}}
        UNION ALL
        {{include:ended_as_settled}}
        PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM reach WHERE NOT live)
        WHERE scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
    )
