-- One person's contacts in fewer steps, for most of what such a question takes is its own analysis: where the person was is one
-- constant, looked up by place instead of joined (docs/decisions/0015-settled-stays.md).

CREATE OR REPLACE VIEW settled_overlaps_of AS
WITH
    toFixedString(unhex({person_token:String}), 16) AS case_token,
    toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) AS span_begin,
    toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS span_end,
    stays_of_case AS
    (
        SELECT
            s.place_key AS place_key, {{include:settled_times}}, (begin, end) AS stay,
            arrayJoin(range(toUInt32(intDiv(begin, 1800000) - slots), toUInt32(intDiv(end, 1800000) + 1))) AS slot
        {{include:settled_of_case}}
            AND NOT {{include:refuse_other_dwell}}
    ),
{{include:case_by_place}}
SELECT
    {{include:settled_overlap_columns}}
FROM
(
    SELECT
        person_token, venue_id, {{include:settled_times}}, arrayJoin((mine.1)[place_key]) AS m,
        greatest(begin, m.1, span_begin) AS begin_ms, least(end, m.2, span_end) AS end_ms
    FROM settled_stays_by_place FINAL
    PREWHERE (place_key, slot) IN (mine.2)
    WHERE begin_ms < end_ms AND person_token != case_token
)
GROUP BY person_token
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. Who was with one person in [since, until) at all, as of the last settlement: the quickest answer there is. Parameters: person_token (32 hex digits), since, until (instants, UTC), dwell (best or default; best unless given). Columns: contact (32 hex digits), overlap_s (s: time together, each instant once), first_meeting and last_together (instants: when it began for the first time and ended for the last), venues (ids)';

CREATE OR REPLACE VIEW settled_contacts_of AS
WITH
    {{include:settled_asked_of_trips}},
    {{include:city_zone}},
    {{include:days_of_span}},
    toFixedString(unhex({person_token:String}), 16) AS case_token,
    toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) AS span_begin,
    toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS span_end,
    stays_of_case AS
    (
        SELECT
            s.place_key AS place_key, {{include:settled_times}}, end + least(end - begin, asked.8) AS tail_until,
            {{include:settled_within}}, {{include:settled_dwell}} AS ended_by,
            (begin, end, tail_until, point, carriage, row, ended_by) AS stay,
            arrayJoin(range(toUInt32(intDiv(begin, 1800000) - slots), toUInt32(intDiv(tail_until, 1800000) + 1))) AS slot
        {{include:settled_of_case}}
    ),
{{include:case_by_place}},
    pieces AS
    (
        SELECT
            case_token, t.person_token AS contact_token, t.place_key AS place_key, t.venue_id AS venue_id, t.late AS late,
            t.begin >= m.2 AS in_tail,
            greatest(m.1, t.begin, span_begin) AS begin_ms,
            if(asked.4, t.begin, least(t.end, if(in_tail, m.3, m.2), span_end)) AS end_ms,
            m.7 AS case_dwell,
            if(asked.4, 'none', t.dwell) AS contact_dwell
        FROM
        (
            SELECT
                place_key, person_token, venue_id, late, {{include:settled_within}},
                {{include:settled_dwell}} AS dwell,
                {{include:settled_times}},
                arrayJoin((mine.1)[place_key]) AS m
            FROM settled_stays_by_place FINAL
            PREWHERE (place_key, slot) IN (mine.2)
            WHERE scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
        ) AS t
        WHERE contact_token != case_token
            AND if(asked.4, m.1 < t.begin AND t.begin < m.2 AND span_begin <= t.begin AND t.begin < span_end, begin_ms < end_ms)
            AND m.4 = t.point
            AND (m.5 = '' OR t.carriage = '' OR m.5 = t.carriage)
            AND (m.5 != t.carriage OR ifNull(abs(m.6 - t.row) <= asked.10, true))
    )
SELECT
    {{include:contact_columns}}
FROM ({{include:settled_contacts}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What contacts_of answers, as of the last settlement and sooner. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given; one about venues or trips, not about venues alone), dwell (best or default; best unless given). Columns: those of contacts_of';
