-- Who was with whom, out of settled stays: the answers of contacts_of and its like as of the last settlement, in
-- milliseconds (docs/decisions/0015-settled-stays.md). `settled_until` says as of when.

CREATE OR REPLACE VIEW settled_trajectory AS
SELECT
    scanned_at, fromUnixTimestamp64Milli(toUnixTimestamp64Milli(scanned_at) + {{include:settled_length}}, 'UTC') AS left_at,
    {{include:settled_dwell}} AS dwell, venue_id, point_id, vehicle, run, carriage, seat
FROM settled_stays FINAL
WHERE person_token = toFixedString(unhex({person_token:String}), 16)
    AND NOT throwIf(ifNull({dwell:Nullable(String)}, 'best') NOT IN ('best', 'default'),
        'settled stays end by best or default; ask trajectory for other ways')
    AND scanned_at >= {since:DateTime64(3, 'UTC')} AND scanned_at < {until:DateTime64(3, 'UTC')}
ORDER BY scanned_at, source_topic, source_partition, source_offset
COMMENT 'Tracers. One person''s stays that began in [since, until), oldest first, as of the last settlement. Parameters: person_token (32 hex digits), since, until (instants, UTC), dwell (best or default; best unless given). Columns: those of trajectory that a stay has; left_at (instant: when it ended), dwell (what that rests on)';

CREATE OR REPLACE VIEW settled_overlaps_of AS
WITH
    [toFixedString(unhex({person_token:String}), 16)] AS case_tokens,
    {{include:span_in_ms}},
{{include:settled_meetings}}
{{include:settled_overlaps_found}};

CREATE OR REPLACE VIEW settled_overlaps_of_many AS
WITH
    arrayMap(token -> toFixedString(unhex(token), 16), {person_tokens:Array(String)}) AS case_tokens,
    {{include:span_in_ms}},
{{include:settled_meetings}}
SELECT
    lower(hex(who)) AS person, lower(hex(person_token)) AS contact,
    toUInt64(intDiv(intervalLengthSum(begin_ms, end_ms), 1000)) AS overlap_s,
    fromUnixTimestamp64Milli(min(begin_ms), 'UTC') AS first_meeting,
    fromUnixTimestamp64Milli(max(end_ms), 'UTC') AS last_together
FROM
(
    {{include:settled_met}}
)
GROUP BY who, person_token
COMMENT 'Tracers. As settled_overlaps_of, for many people in one question; in no order. Parameters: person_tokens (array of 32 hex digits), since, until (instants, UTC), dwell (best or default; best unless given). Columns: person and contact (32 hex digits), overlap_s (s), first_meeting and last_together (instants)';

CREATE OR REPLACE VIEW settled_contacts_of AS
WITH
    {{include:settled_asked}},
    {{include:city_zone}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    cases AS
    (
        SELECT
            toFixedString(unhex({person_token:String}), 16) AS person_token,
            toUnixTimestamp64Milli(span_begin) AS case_begin, toUnixTimestamp64Milli(span_end) AS case_end
    ),
{{include:settled_near}},
{{include:settled_pieces}}
SELECT
    {{include:contact_columns}}
FROM ({{include:contacts_in_steps}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What contacts_of answers, as of the last settlement and sooner. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given; one about venues or trips, not about venues alone), dwell (best or default; best unless given). Columns: those of contacts_of';

CREATE OR REPLACE VIEW settled_chain AS
WITH
    {{include:settled_asked}},
    {{include:city_zone}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    toFixedString(unhex({person_token:String}), 16) AS index_token,
    (
        WITH
            cases AS
            (
                SELECT
                    index_token AS person_token,
                    toUnixTimestamp64Milli(span_begin) AS case_begin, toUnixTimestamp64Milli(span_end) AS case_end
            ),
{{include:settled_near}},
{{include:settled_pieces}}
        SELECT groupArray((contact_token, toUnixTimestamp64Milli(first_meeting)))
        FROM ({{include:contacts_in_steps}})
    ) AS first_degree,
    {{include:settled_second_cases}},
{{include:settled_near}},
{{include:settled_pieces}}
SELECT
    1 AS degree, lower(hex(found.1)) AS contact, fromUnixTimestamp64Milli(found.2, 'UTC') AS first_meeting
FROM (SELECT arrayJoin(first_degree) AS found)
UNION ALL
SELECT 2 AS degree, lower(hex(contact_token)) AS contact, min(first_meeting) AS first_meeting
FROM ({{include:contacts_in_steps}})
WHERE contact_token != index_token AND contact_token NOT IN (SELECT arrayJoin(first_degree).1)
GROUP BY contact_token
COMMENT 'Tracers. Contacts of one person (degree 1), and everybody who met one of them from the first meeting on until they turned red (degree 2), as of the last settlement; one row a person, in no order. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (any_overlap unless given), dwell (best or default; best unless given). Columns: degree (1 or 2), contact (32 hex digits), first_meeting (instant: with one of the degree before)';

CREATE OR REPLACE VIEW settled_overlap_chain AS
WITH
    {{include:settled_overlap_chain_cases}}
SELECT
    1 AS degree, lower(hex(found.1)) AS contact, fromUnixTimestamp64Milli(found.2, 'UTC') AS first_meeting
FROM (SELECT arrayJoin(first_degree) AS found)
UNION ALL
SELECT 2 AS degree, lower(hex(person_token)) AS contact, fromUnixTimestamp64Milli(min(first_ms), 'UTC') AS first_meeting
FROM
(
    SELECT t.person_token AS person_token, greatest(t.begin, u.begin) AS first_ms
    FROM
    (
        SELECT
            place_key, person_token, {{include:settled_times}}
        FROM settled_stays_by_place FINAL
        PREWHERE (place_key, slot) IN
        (
            SELECT
                place_key,
                arrayJoin(range(toUInt32(intDiv(begin, 1800000) - slots), toUInt32(intDiv(end, 1800000) + 1)))
            FROM stretches
        )
        WHERE scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
            AND scanned_at < {until:DateTime64(3, 'UTC')}
    ) AS t
    -- Of stretches without overlap, the first that ends after the stay begins is the first that may overlap it.
    {{include:settled_first_stretch}}
)
WHERE person_token NOT IN (SELECT arrayJoin(first_degree).1)
GROUP BY person_token
COMMENT 'Tracers. settled_chain under any_overlap, and soonest: contacts of one person, and everybody who was with one of them at all. Parameters: person_token (32 hex digits), since, until (instants, UTC), dwell (best or default; best unless given). Columns: those of settled_chain';
