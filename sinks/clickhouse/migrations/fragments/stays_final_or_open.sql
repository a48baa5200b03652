-- Stays (`ended`; times in ms since 1970) of `cases` (person_token, case_begin, case_end: ms), and of everybody who may have
-- met one of them under the rule `asked` in [span_begin, span_end), at the places and half-hours of `reach`.
-- A stay is read as it was settled unless a scan since may have ended it. Worked out from scans are the stays of those who
-- have one (`scanned_since`) and of those who entered since. A stay may come out of both, alike: no minute counts twice.
    scans AS
    (
        {{include:scans_of_cases}}
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
                    {{include:entered_in_reach}}
            )
        WHERE {{include:live_scans_of_others}}
    ),
    ended AS
    (
        {{include:ended_from_scans}}
        UNION ALL
        {{include:ended_as_settled}}
        PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM reach)
        WHERE ({{include:settled_for_good}}
                OR (scanned_at < known_until AND person_token NOT IN (SELECT person_token FROM scanned_since)))
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
    )
