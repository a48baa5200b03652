-- Stays whose ends were worked out once, when the scans that end them were there (`venuecode settle`,
-- docs/decisions/0015-settled-stays.md): a question about contacts then looks up no scans of others, and is answered in
-- milliseconds. What is settled is settled as of a time, which `settled_until` shows. `contacts_of` and the others go on
-- answering out of the scans themselves, to the last one stored.

CREATE TABLE IF NOT EXISTS settlements
(
    number UInt32 COMMENT 'number: of the settlement, from 1',
    began_at DateTime64(3, 'UTC') COMMENT 'instant: every scan stored before it was looked at',
    until DateTime64(3, 'UTC') COMMENT 'instant: scans before it were settled',
    categories UInt64 COMMENT 'hash: of the minutes of the categories then',
    stays UInt64 COMMENT 'number: of stays that were written',
    finished_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'instant: when it was done'
)
ENGINE = ReplacingMergeTree(finished_at)
ORDER BY number
COMMENT 'When stays were settled, and until when';

CREATE TABLE IF NOT EXISTS late_scans
(
    stored_at DateTime64(3, 'UTC') COMMENT 'instant: when the insert came' CODEC(LZ4),
    people Array(FixedString(16)) COMMENT '16 bytes each: whose scans were late; one of all zeros: more than 1,000 people' CODEC(LZ4),
    scanned_at DateTime64(3, 'UTC') COMMENT 'instant: the earliest of the late scans; 1970 where none were' CODEC(LZ4)
)
ENGINE = MergeTree
ORDER BY stored_at
{{retention:stored_at}}
COMMENT 'For each insert of visits, whose scans were stored more than five minutes after they were made: their stays are settled again';

-- One row an insert, late scans or not: the sink counts the rows that ClickHouse says it wrote.
CREATE MATERIALIZED VIEW IF NOT EXISTS visits_to_late TO late_scans AS
SELECT
    now64(3, 'UTC') AS stored_at,
    if(length(late) > 1000, [toFixedString('', 16)], arrayMap(token -> toFixedString(unhex(token), 16), late)) AS people,
    earliest AS scanned_at
FROM
(
    SELECT
        groupUniqArrayIf(1001)(person_token, is_late) AS late,
        minIf(made_at, is_late) AS earliest
    FROM
    (
        SELECT person_token, scanned_at AS made_at, scanned_at < now64(3, 'UTC') - toIntervalMinute(5) AS is_late
        FROM visits_input
    )
);

CREATE TABLE IF NOT EXISTS settled_input
(
    person_token FixedString(16) COMMENT '16 bytes: HMAC of the person id, never the id itself',
    place_key UInt64 COMMENT 'hash: of the place',
    scanned_at DateTime64(3, 'UTC') COMMENT 'instant, ms: of the entry, where the stay begins',
    venue_id String COMMENT 'id: of the venue in the registry',
    point_id String COMMENT 'id: of the entrance, gate or carriage within the venue',
    vehicle String COMMENT 'id: of the vehicle on a trip; empty where there is no trip',
    run String COMMENT 'id: of the run of that vehicle; empty where there is no trip',
    carriage String COMMENT 'id: within the vehicle; empty when unknown',
    seat String COMMENT 'id: within the carriage; empty when unknown',
    category String COMMENT 'code: kind of venue when scanned; empty for an unregistered venue',
    late Bool COMMENT 'true: the scan arrived late',
    source_topic String COMMENT 'name: topic of the scan (identity)',
    source_partition UInt32 COMMENT 'number: partition of the scan (identity)',
    source_offset UInt64 COMMENT 'number: offset of the scan (identity)',
    default_minutes UInt16 COMMENT 'min: default stay of the category',
    dwell String COMMENT 'what the end rests on, mode best',
    stay_ms UInt32 COMMENT 'ms: length of the stay, mode best',
    settlement UInt32 COMMENT 'number: of the settlement that wrote the row; the last one counts'
)
ENGINE = Null
COMMENT 'Where settled stays are written; they go on to the two orders';

CREATE TABLE IF NOT EXISTS settled_stays
(
    person_token FixedString(16) COMMENT '16 bytes: HMAC of the person id, never the id itself' CODEC(ZSTD(1)),
    scanned_at DateTime64(3, 'UTC') COMMENT 'instant, ms: of the entry, where the stay begins' CODEC(T64, LZ4),
    place_key UInt64 COMMENT 'hash: of the venue, or the trip (cityHash64 of `place` in visits)' CODEC(ZSTD(1)),
    venue_id String COMMENT 'id: of the venue in the registry' CODEC(ZSTD(1)),
    point_id String COMMENT 'id: of the entrance, gate or carriage within the venue' CODEC(ZSTD(1)),
    vehicle String COMMENT 'id: of the vehicle on a trip; empty where there is no trip' CODEC(ZSTD(1)),
    run String COMMENT 'id: of the run of that vehicle; empty where there is no trip' CODEC(ZSTD(1)),
    carriage String COMMENT 'id: within the vehicle; empty when unknown' CODEC(ZSTD(1)),
    seat String COMMENT 'id: within the carriage; empty when unknown' CODEC(ZSTD(1)),
    default_minutes UInt16 COMMENT 'min: default stay of the category' CODEC(ZSTD(1)),
    dwell Enum8('explicit' = 1, 'next_scan' = 2, 'default' = 3) COMMENT 'what the end rests on, mode best' CODEC(ZSTD(1)),
    stay_ms UInt32 COMMENT 'ms: length of the stay, mode best' CODEC(T64, ZSTD(1)),
    settlement UInt32 COMMENT 'number: of the settlement that wrote the row; the last one counts' CODEC(T64, LZ4),
    source_topic LowCardinality(String) COMMENT 'name: topic of the scan (identity)' CODEC(LZ4),
    source_partition UInt32 COMMENT 'number: partition of the scan (identity)' CODEC(ZSTD(1)),
    source_offset UInt64 COMMENT 'number: offset of the scan (identity)' CODEC(T64, LZ4)
)
ENGINE = ReplacingMergeTree(settlement)
PARTITION BY toMonday(scanned_at)
ORDER BY (person_token, scanned_at, source_topic, source_partition, source_offset)
{{retention:scanned_at}}
SETTINGS index_granularity = 256, min_bytes_for_wide_part = 134217728
COMMENT 'Settled stays by person';

CREATE TABLE IF NOT EXISTS settled_stays_by_place
(
    place_key UInt64 COMMENT 'hash: of the venue, or the trip (cityHash64 of `place` in visits)' CODEC(LZ4),
    slot UInt32 COMMENT 'number: half-hours from 1970-01-01T00:00Z to scanned_at, rounded down' CODEC(Delta, LZ4),
    scanned_at DateTime64(3, 'UTC') COMMENT 'instant, ms: of the entry, where the stay begins' CODEC(Delta, ZSTD(1)),
    person_token FixedString(16) COMMENT '16 bytes: HMAC of the person id, never the id itself' CODEC(NONE),
    venue_id String COMMENT 'id: of the venue in the registry' CODEC(ZSTD(1)),
    point_id String COMMENT 'id: of the entrance, gate or carriage within the venue' CODEC(ZSTD(1)),
    vehicle String COMMENT 'id: of the vehicle on a trip; empty where there is no trip' CODEC(ZSTD(1)),
    run String COMMENT 'id: of the run of that vehicle; empty where there is no trip' CODEC(ZSTD(1)),
    carriage String COMMENT 'id: within the vehicle; empty when unknown' CODEC(ZSTD(1)),
    seat String COMMENT 'id: within the carriage; empty when unknown' CODEC(ZSTD(1)),
    category LowCardinality(String) COMMENT 'code: kind of venue when scanned; empty for an unregistered venue' CODEC(ZSTD(1)),
    late Bool COMMENT 'true: the scan arrived late' CODEC(ZSTD(1)),
    default_minutes UInt16 COMMENT 'min: default stay of the category' CODEC(ZSTD(1)),
    dwell Enum8('explicit' = 1, 'next_scan' = 2, 'default' = 3) COMMENT 'what the end rests on, mode best' CODEC(ZSTD(1)),
    stay_ms UInt32 COMMENT 'ms: length of the stay, mode best' CODEC(T64, ZSTD(1)),
    settlement UInt32 COMMENT 'number: of the settlement that wrote the row; the last one counts' CODEC(T64, LZ4),
    source_topic LowCardinality(String) COMMENT 'name: topic of the scan (identity)' CODEC(LZ4),
    source_partition UInt32 COMMENT 'number: partition of the scan (identity)' CODEC(T64, LZ4),
    source_offset UInt64 COMMENT 'number: offset of the scan (identity)' CODEC(T64, LZ4)
)
ENGINE = ReplacingMergeTree(settlement)
PARTITION BY toMonday(scanned_at)
ORDER BY (place_key, slot, scanned_at, person_token, source_topic, source_partition, source_offset)
{{retention:scanned_at}}
SETTINGS index_granularity = 1024, max_compress_block_size = 16384, min_bytes_for_wide_part = 134217728
COMMENT 'The same settled stays by place, half-hour slot and time: who else was there';

CREATE TABLE IF NOT EXISTS place_reach
(
    place_key UInt64 COMMENT 'hash: of the place',
    slots SimpleAggregateFunction(max, UInt8) COMMENT 'number: half-hours between the first and the last of the longest stay there'
)
ENGINE = AggregatingMergeTree
ORDER BY place_key
SETTINGS index_granularity = 256
COMMENT 'How far back to look for who may still be at a place: never too little; not lessened when stays become shorter';

CREATE MATERIALIZED VIEW IF NOT EXISTS settled_to_person TO settled_stays AS
SELECT
    person_token, scanned_at, place_key, venue_id, point_id, vehicle, run, carriage, seat, default_minutes, dwell, stay_ms,
    settlement, source_topic, source_partition, source_offset
FROM settled_input;

CREATE MATERIALIZED VIEW IF NOT EXISTS settled_to_place TO settled_stays_by_place AS
SELECT
    place_key, toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800)) AS slot, scanned_at, person_token, venue_id, point_id,
    vehicle, run, carriage, seat, category, late, default_minutes, dwell, stay_ms, settlement, source_topic,
    source_partition, source_offset
FROM settled_input;

CREATE MATERIALIZED VIEW IF NOT EXISTS settled_to_reach TO place_reach AS
SELECT
    place_key,
    max(toUInt8(intDiv(toUnixTimestamp64Milli(scanned_at) + greatest(stay_ms, default_minutes * 60000), 1800000)
        - intDiv(toUnixTimestamp64Milli(scanned_at), 1800000))) AS slots
FROM settled_input
GROUP BY place_key;

CREATE OR REPLACE VIEW stays_to_settle AS
WITH
    {{include:minutes_of_categories}},
    scans AS
    (
        SELECT {{include:scans_to_settle}}
        FROM visits FINAL
        WHERE person_token >= toFixedString(unhex({first_token:String}), 16)
            AND person_token <= toFixedString(unhex({last_token:String}), 16)
            AND scanned_at >= {changed_from:DateTime64(3, 'UTC')} - toIntervalHour(24)
            AND scanned_at < {until:DateTime64(3, 'UTC')}
        ORDER BY person_token, scanned_at, source_topic, source_partition, source_offset
    )
SELECT * EXCEPT (next_ms, leave_ms)
FROM ({{include:ends_of_stays}})
WHERE scanned_at >= {changed_from:DateTime64(3, 'UTC')}
    OR next_ms >= toUnixTimestamp64Milli({changed_from:DateTime64(3, 'UTC')})
    OR leave_ms >= toUnixTimestamp64Milli({changed_from:DateTime64(3, 'UTC')})
COMMENT 'Internal. Stays of some people that scans in [changed_from, until) begin or end. Parameters: first_token, last_token (32 hex digits), changed_from, until (instants, UTC)';

CREATE OR REPLACE VIEW late_stays_to_settle AS
WITH
    {{include:minutes_of_categories}},
    scans AS
    (
        SELECT {{include:scans_to_settle}}
        FROM visits FINAL
        WHERE person_token IN
            (
                SELECT arrayJoin(people) FROM late_scans
                WHERE stored_at >= {stored_from:DateTime64(3, 'UTC')} AND stored_at < {stored_until:DateTime64(3, 'UTC')}
            )
            AND scanned_at < {until:DateTime64(3, 'UTC')}
        ORDER BY person_token, scanned_at, source_topic, source_partition, source_offset
    )
SELECT * EXCEPT (next_ms, leave_ms)
FROM ({{include:ends_of_stays}})
COMMENT 'Internal. All stays of the people whose late scans were stored in [stored_from, stored_until), by scans before until. Parameters: stored_from, stored_until, until (instants, UTC)';

CREATE OR REPLACE VIEW settled_until
(
    until DateTime64(3, 'UTC') COMMENT 'instant: scans before it are settled; 1970 where none are',
    began_at DateTime64(3, 'UTC') COMMENT 'instant: every scan stored before it was looked at',
    number UInt32 COMMENT 'number: of the last settlement; 0 where there was none',
    late_people UInt64 COMMENT 'number: people with scans stored late since then, not settled yet; 1,000 and more count as one'
)
AS SELECT
    last.2 AS until, last.3 AS began_at, last.1 AS number,
    ifNull((
        SELECT length(groupUniqArrayArray(people)) FROM late_scans
        WHERE stored_at >= (SELECT max((e.number, e.began_at)).2 FROM settlements AS e)
    ), 0) AS late_people
FROM
(
    SELECT max((s.number, s.until, s.began_at)) AS last
    FROM settlements AS s
)
COMMENT 'Until when stays are settled: what the views whose names begin with settled_ answer about';
