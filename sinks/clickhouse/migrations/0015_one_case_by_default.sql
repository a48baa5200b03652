-- Contacts of one person when every stay is the default of its category: no later scan matters then, so one look at the
-- visits by place is all it takes. The rule and the stays of the case are worked out first and stand in the rest as
-- constants: what is short to analyse is quick to answer (docs/decisions/0012-one-case.md).

CREATE OR REPLACE VIEW contacts_by_default AS
WITH
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    {{include:asked}},
    {{include:known_defaults}},
{{include:case_stays_by_default}},
    ended AS
    (
        SELECT
            person_token, place, venue_id, point_id, vehicle, run, carriage, seat, category, flags, direction, scanned_at,
            'default' AS dwell, {{include:default_end}} AS left_at
        FROM visits_by_place FINAL
        WHERE {{include:near_case}}
    ),
    pieces AS ({{include:pairs_of_case}})
SELECT
    {{include:contact_columns}}
FROM ({{include:contacts_in_steps}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What contacts_of answers with dwell = default, sooner. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given). Columns: those of contacts_of';

CREATE OR REPLACE VIEW overlaps_by_default AS
WITH
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    toFixedString(unhex({person_token:String}), 16) AS case_token,
    {{include:known_defaults}},
    toUInt32(intDiv(arrayMax(arrayPushBack(known.2, 60)), 30) + 1) AS most_slots,
    (
        SELECT groupArray((place, scanned_at, {{include:default_end}}))
        FROM visits FINAL
        WHERE person_token = case_token AND direction = 'enter'
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
    ) AS mine
SELECT
    lower(hex(person_token)) AS contact,
    toUInt64(intDiv(arrayReduce('intervalLengthSum',
        groupArray(toUnixTimestamp64Milli(begins_at)), groupArray(toUnixTimestamp64Milli(ends_at))), 1000)) AS overlap_s,
    min(begins_at) AS first_meeting,
    max(ends_at) AS last_together,
    arraySort(groupUniqArray(venue_id)) AS venues
FROM
(
    SELECT
        person_token, venue_id,
        greatest(m.2, scanned_at, span_begin) AS begins_at,
        least(m.3, {{include:default_end}}, span_end) AS ends_at
    FROM
    (
        SELECT person_token, place, venue_id, category, scanned_at
        FROM visits_by_place FINAL
        PREWHERE (place, slot) IN
        (
            SELECT m.1, arrayJoin(range(
                toUInt32(intDiv(toUnixTimestamp(m.2), 1800) - most_slots),
                toUInt32(intDiv(toUnixTimestamp(m.3), 1800) + 1)))
            FROM (SELECT arrayJoin(mine) AS m)
        )
        WHERE direction = 'enter' AND person_token != case_token
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
    ) AS t
    INNER JOIN (SELECT arrayJoin(mine) AS m, m.1 AS place) AS c ON t.place = c.place
    WHERE begins_at < ends_at
)
GROUP BY person_token
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. Who was with one person in [since, until) at all: contacts_by_default under any_overlap, in fewer columns and soonest. Parameters: person_token (32 hex digits), since, until (instants, UTC). Columns: contact (32 hex digits), overlap_s (s: time together, each instant once), first_meeting and last_together (instants: when it began for the first time and ended for the last), venues (ids)';
