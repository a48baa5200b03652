-- Contacts when every stay is the default of its category. No later scan matters then, so one look at the visits by place
-- is all it takes: what contacts_of(dwell = 'default') answers, sooner.
CREATE OR REPLACE VIEW contacts_by_default AS
WITH
{{include:one_case}}
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    {{include:asked}},
    rules AS (SELECT asked AS rule, span_begin AS rule_begin, span_end AS rule_end),
    (SELECT toUInt32(intDiv(greatest(max(default_stay_minutes), 60), 30) + 1) FROM venue_categories) AS most_slots,
    reach AS
    (
        SELECT
            place, venue_id,
            toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800)) AS first_slot,
            arrayJoin(range(toUInt32(first_slot - most_slots), toUInt32(first_slot + most_slots + 10))) AS slot
        FROM visits FINAL
        WHERE person_token IN (SELECT person_token FROM cases)
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
            AND direction = 'enter'
    ),
    ended AS
    (
        SELECT
            v.*, 'default' AS dwell,
            scanned_at + toIntervalMinute(if(c.default_stay_minutes = 0, 60, c.default_stay_minutes)) AS left_at
        FROM
        (
            SELECT {{include:scan_columns}}
            FROM visits_by_place FINAL
            WHERE direction = 'enter'
                AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
                AND ((place, slot) IN
                        (SELECT arrayJoin(if(asked.3 = 'venue', [place, concat('venue:', venue_id)], [place])), slot FROM reach)
                    OR (asked.3 = 'venue' AND place >= 'trip:' AND place < 'trip;'
                        AND (venue_id, slot) IN (SELECT venue_id, slot FROM reach)))
        ) AS v
        LEFT JOIN (SELECT category, default_stay_minutes FROM venue_categories FINAL) AS c ON v.category = c.category
    ),
    pieces AS ({{include:pairs}})
SELECT
    lower(hex(contact_token)) AS contact,
    toUInt64(intDiv(overlap_ms, 1000)) AS overlap_s,
    toUInt64(intDiv(counted_ms, 1000)) AS counted_s,
    toUInt64(intDiv(direct_ms, 1000)) AS direct_s,
    first_meeting, last_meeting, meetings, indirect, venues,
    case_dwells AS person_dwells, contact_dwells, late, rule.1 AS rule_id, rule.2 AS rule_version
FROM ({{include:contacts_of_cases}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What contacts_of answers with dwell = default, sooner. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given). Columns: those of contacts_of';
