-- Who may have met one of `cases` (person_token, case_begin, case_end) under one of `rules` in [span_begin, span_end),
-- and their scans. Two steps: candidates by (place, slot), with the longest stay there is; then only their scans of those
-- days, for the true ends of their stays. Stays by default, and none, need no later scan: the first step has them all.
    (
        SELECT toUInt32(if(dwell_mode = 'default', intDiv(greatest(max(default_stay_minutes), 60), 30) + 1, 48))
        FROM venue_categories
    ) AS most_slots,
    (
        SELECT
            (
                max(grain = 'venue'),
                toUInt32(intDiv(max(tail_ms), 1800000) + 2),
                throwIf(count() = 0, 'there is no such contact rule; SELECT rule_id FROM all_contact_rules lists them'),
                throwIf(max(grain = 'cell_800m'), 'this rule is about cells: ask companions_by_cell')
            )
        FROM rules
    ) AS reached,
    reach AS
    (
        SELECT
            place, venue_id,
            toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800)) AS first_slot,
            toUInt32(intDiv(toUnixTimestamp(leadInFrame(scanned_at, 1, scanned_at + toIntervalHour(24)) OVER
            (
                PARTITION BY person_token ORDER BY scanned_at, source_topic, source_partition, source_offset
                ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
            )), 1800)) AS next_slot,
            arrayJoin(range(
                toUInt32(first_slot - most_slots),
                toUInt32(first_slot + reached.2 + least(most_slots, if(dwell_mode = 'default', 48, next_slot - first_slot)))
            )) AS slot
        FROM visits FINAL
        WHERE person_token IN (SELECT person_token FROM cases)
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
            AND direction = 'enter'
    ),
    scans AS
    (
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE dwell_mode NOT IN ('default', 'none')
            AND (person_token, toDate(scanned_at)) IN
            (
                SELECT person_token, arrayJoin([toDate(scanned_at), toDate(scanned_at) + 1])
                FROM visits_by_place
                WHERE {{include:near}}
            )
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at <= span_end + toIntervalHour(24)
        UNION ALL
        SELECT {{include:scan_columns}}
        FROM visits_by_place FINAL
        WHERE dwell_mode IN ('default', 'none') AND {{include:near}}
    )
