-- The same visits in about half the space (docs/decisions/0011-storage.md). What follows from the rest of a row is kept as
-- its difference from it and shown as before: processed_at, stay_until, status_age_s and scan_id are aliases. By person,
-- a week is a partition: a person's rows lie together in longer runs, in fewer parts.
-- Existing rows are copied, so that this file may be begun again wherever it was cut off: until a table has changed places
-- with its copy, the copy is made anew; after that, once more, of itself. No row is stored meanwhile: a sink that runs sees
-- that its rows do not arrive in both orders, keeps them, and tries again until the last statement is done.

DROP VIEW IF EXISTS visits_to_person;

DROP VIEW IF EXISTS visits_to_place;

DROP TABLE IF EXISTS visits_next;

CREATE TABLE IF NOT EXISTS visits_next
(
    person_token FixedString(16) COMMENT '16 bytes: HMAC of the person id, never the id itself' CODEC(ZSTD(1)),
    scanned_at DateTime64(3, 'UTC') COMMENT 'instant, ms: when the code was scanned (event time)' CODEC(T64, ZSTD(1)),
    direction Enum8('enter' = 1, 'leave' = 2) COMMENT 'enter or leave' CODEC(ZSTD(1)),
    venue_id String COMMENT 'id: of the venue in the registry' CODEC(ZSTD(1)),
    point_id String COMMENT 'id: of the entrance, gate or carriage within the venue' CODEC(ZSTD(1)),
    vehicle String COMMENT 'id: of the vehicle on a trip; empty where there is no trip' CODEC(ZSTD(1)),
    run String COMMENT 'id: of the run of that vehicle; empty where there is no trip' CODEC(ZSTD(1)),
    carriage String COMMENT 'id: within the vehicle; empty when unknown' CODEC(ZSTD(1)),
    seat String COMMENT 'id: within the carriage; empty when unknown' CODEC(ZSTD(1)),
    channel LowCardinality(String) COMMENT 'phone, staff, gate, manual or companion' CODEC(ZSTD(1)),
    category LowCardinality(String) COMMENT 'code: kind of venue when scanned; empty for an unregistered venue' CODEC(ZSTD(1)),
    area_code LowCardinality(String) COMMENT 'GB/T 2260 code, 6 or 9 digits; 000000: none' CODEC(ZSTD(1)),
    lat Nullable(Float64) COMMENT 'degrees WGS 84: latitude of the venue; null when unknown' CODEC(ZSTD(1)),
    lon Nullable(Float64) COMMENT 'degrees WGS 84: longitude of the venue; null when unknown' CODEC(ZSTD(1)),
    colour LowCardinality(String) COMMENT 'green, yellow, red or unknown: in force at scanned_at' CODEC(ZSTD(1)),
    labels Array(LowCardinality(String)) COMMENT 'codes: labels of that status' CODEC(ZSTD(1)),
    status_version Nullable(UInt64) COMMENT 'number: version of that status; null when none was in force' CODEC(T64, ZSTD(1)),
    status_second Nullable(Int64) COMMENT 's since 1970: of scanned_at, less status_age_s' CODEC(T64, ZSTD(1)),
    decision LowCardinality(String) COMMENT 'admit, refuse, isolate or check' CODEC(ZSTD(1)),
    stay_ms Nullable(Int64) COMMENT 'ms: from scanned_at to stay_until' CODEC(GCD, ZSTD(1)),
    flags Array(LowCardinality(String)) COMMENT 'codes: late, unknown_venue, ...; empty for an ordinary visit' CODEC(ZSTD(1)),
    scan_id_ms Int64 COMMENT 'ms: from scanned_at to the time in scan_id, its first 6 bytes' CODEC(T64, ZSTD(1)),
    scan_id_rest FixedString(10) COMMENT '10 bytes: the last of scan_id' CODEC(NONE),
    gateway LowCardinality(String) COMMENT 'id: of the gateway that took the scan' CODEC(ZSTD(1)),
    processed_ms Int64 COMMENT 'ms: from scanned_at to processed_at' CODEC(T64, ZSTD(1)),
    source_topic LowCardinality(String) COMMENT 'name: topic of the scan (identity)' CODEC(ZSTD(1)),
    source_partition UInt32 COMMENT 'number: partition of the scan (identity)' CODEC(ZSTD(1)),
    source_offset UInt64 COMMENT 'number: offset of the scan (identity)' CODEC(T64, ZSTD(1)),
    place String ALIAS if(vehicle = '', concat('venue:', venue_id), concat('trip:', toString(length(vehicle)), ':', vehicle, ':', run)) COMMENT 'key: the venue, or the trip (vehicle and run)',
    status_age_s Nullable(Int64) ALIAS intDiv(toUnixTimestamp64Milli(scanned_at), 1000) - status_second COMMENT 's: from the issue of that status to the scan; null when none was in force',
    stay_until Nullable(DateTime64(3, 'UTC')) ALIAS fromUnixTimestamp64Milli(toUnixTimestamp64Milli(scanned_at) + stay_ms, 'UTC') COMMENT 'instant: end of the stay assumed while streaming; null for a leave',
    scan_id UUID ALIAS toUUID(UUIDNumToString(toFixedString(concat(unhex(leftPad(hex(toUInt64(toUnixTimestamp64Milli(scanned_at) + scan_id_ms)), 12, '0')), toString(scan_id_rest)), 16))) COMMENT 'UUIDv7: given by the gateway',
    processed_at DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(toUnixTimestamp64Milli(scanned_at) + processed_ms, 'UTC') COMMENT 'instant: when the worker decided',
    INDEX offsets source_offset TYPE minmax GRANULARITY 64
)
ENGINE = ReplacingMergeTree(processed_ms)
PARTITION BY toMonday(scanned_at)
ORDER BY (person_token, scanned_at, source_topic, source_partition, source_offset)
{{retention:scanned_at}}
SETTINGS index_granularity = 1024, min_bytes_for_wide_part = 134217728,
    merge_selector_base = 10, parts_to_delay_insert = 150, parts_to_throw_insert = 300
COMMENT 'Visits by person and time; read them through the views';

INSERT INTO visits_next
(
    person_token, scanned_at, direction, venue_id, point_id, vehicle, run, carriage, seat, channel, category, area_code,
    lat, lon, colour, labels, status_version, status_second, decision, stay_ms, flags, scan_id_ms, scan_id_rest, gateway,
    processed_ms, source_topic, source_partition, source_offset
)
SELECT
{{include:visit_columns}}
FROM visits
SETTINGS max_partitions_per_insert_block = 0, max_execution_time = 0;

EXCHANGE TABLES visits AND visits_next;

DROP TABLE IF EXISTS visits_next;

DROP TABLE IF EXISTS visits_by_place_next;

CREATE TABLE IF NOT EXISTS visits_by_place_next
(
    place String COMMENT 'key: the venue, or the trip (vehicle and run)' CODEC(ZSTD(1)),
    slot UInt32 COMMENT 'number: half-hours from 1970-01-01T00:00Z to scanned_at, rounded down' CODEC(Delta, ZSTD(1)),
    scanned_at DateTime64(3, 'UTC') COMMENT 'instant, ms: when the code was scanned (event time)' CODEC(Delta, ZSTD(1)),
    person_token FixedString(16) COMMENT '16 bytes: HMAC of the person id, never the id itself' CODEC(NONE),
    direction Enum8('enter' = 1, 'leave' = 2) COMMENT 'enter or leave' CODEC(ZSTD(1)),
    venue_id String COMMENT 'id: of the venue in the registry' CODEC(ZSTD(1)),
    point_id String COMMENT 'id: of the entrance, gate or carriage within the venue' CODEC(ZSTD(1)),
    vehicle String COMMENT 'id: of the vehicle on a trip; empty where there is no trip' CODEC(ZSTD(1)),
    run String COMMENT 'id: of the run of that vehicle; empty where there is no trip' CODEC(ZSTD(1)),
    carriage String COMMENT 'id: within the vehicle; empty when unknown' CODEC(ZSTD(1)),
    seat String COMMENT 'id: within the carriage; empty when unknown' CODEC(ZSTD(1)),
    category LowCardinality(String) COMMENT 'code: kind of venue when scanned; empty for an unregistered venue' CODEC(ZSTD(1)),
    colour LowCardinality(String) COMMENT 'green, yellow, red or unknown: in force at scanned_at' CODEC(ZSTD(1)),
    flags Array(LowCardinality(String)) COMMENT 'codes: late, unknown_venue, ...; empty for an ordinary visit' CODEC(ZSTD(1)),
    processed_ms Int64 COMMENT 'ms: from scanned_at to processed_at' CODEC(T64, ZSTD(1)),
    source_topic LowCardinality(String) COMMENT 'name: topic of the scan (identity)' CODEC(ZSTD(1)),
    source_partition UInt32 COMMENT 'number: partition of the scan (identity)' CODEC(T64, ZSTD(1)),
    source_offset UInt64 COMMENT 'number: offset of the scan (identity)' CODEC(T64, ZSTD(1)),
    processed_at DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(toUnixTimestamp64Milli(scanned_at) + processed_ms, 'UTC') COMMENT 'instant: when the worker decided',
    INDEX venues venue_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX offsets source_offset TYPE minmax GRANULARITY 64
)
ENGINE = ReplacingMergeTree(processed_ms)
PARTITION BY toDate(scanned_at)
ORDER BY (place, slot, scanned_at, person_token, source_topic, source_partition, source_offset)
{{retention:scanned_at}}
SETTINGS index_granularity = 1024, max_compress_block_size = 16384, min_bytes_for_wide_part = 134217728,
    merge_selector_base = 10, parts_to_delay_insert = 150, parts_to_throw_insert = 300
COMMENT 'The same visits by place, half-hour slot and time: who else was there';

INSERT INTO visits_by_place_next
(
    place, slot, scanned_at, person_token, direction, venue_id, point_id, vehicle, run, carriage, seat, category, colour,
    flags, processed_ms, source_topic, source_partition, source_offset
)
SELECT
{{include:place_visit_columns}}
FROM visits_by_place
SETTINGS max_partitions_per_insert_block = 0, max_execution_time = 0;

EXCHANGE TABLES visits_by_place AND visits_by_place_next;

DROP TABLE IF EXISTS visits_by_place_next;

CREATE MATERIALIZED VIEW IF NOT EXISTS visits_to_person TO visits AS
SELECT
{{include:visit_columns}}
FROM
(
    SELECT
        * EXCEPT (person_token, trip),
        toFixedString(unhex(person_token), 16) AS person_token,
        trip.vehicle AS vehicle, trip.run AS run, trip.carriage AS carriage, trip.seat AS seat
    FROM visits_input
);

CREATE MATERIALIZED VIEW IF NOT EXISTS visits_to_place TO visits_by_place AS
SELECT
{{include:place_visit_columns}}
FROM
(
    SELECT
        * EXCEPT (person_token, trip),
        toFixedString(unhex(person_token), 16) AS person_token,
        trip.vehicle AS vehicle, trip.run AS run, trip.carriage AS carriage, trip.seat AS seat,
        if(vehicle = '', concat('venue:', venue_id), concat('trip:', toString(length(vehicle)), ':', vehicle, ':', run)) AS place,
        toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800)) AS slot
    FROM visits_input
);
