-- The tables. Person tokens are stored as 16 bytes; the views show them as 32 hex digits.
-- A visit's identity is the place of origin of its scan: (source_topic, source_partition, source_offset). It is part of
-- both sorting keys, so that a visit that was written twice collapses to one: always for whoever reads through FINAL
-- (the views do), and on disk with the next merge. Of two versions the one processed last stays.
-- Visits by person are read whole, a few at a time, so their parts keep all columns in one file up to 128 MiB: a merge
-- then takes half the time (1.3 instead of 2.5 us a row).

CREATE TABLE IF NOT EXISTS visits
(
    person_token FixedString(16) COMMENT '16 bytes: HMAC of the person id, never the id itself',
    scanned_at DateTime64(3, 'UTC') COMMENT 'instant, ms: when the code was scanned (event time)',
    direction Enum8('enter' = 1, 'leave' = 2) COMMENT 'enter or leave',
    venue_id String COMMENT 'id: of the venue in the registry',
    point_id String COMMENT 'id: of the entrance, gate or carriage within the venue',
    vehicle String COMMENT 'id: of the vehicle on a trip; empty where there is no trip',
    run String COMMENT 'id: of the run of that vehicle; empty where there is no trip',
    carriage String COMMENT 'id: within the vehicle; empty when unknown',
    seat String COMMENT 'id: within the carriage; empty when unknown',
    channel LowCardinality(String) COMMENT 'phone, staff, gate, manual or companion',
    category LowCardinality(String) COMMENT 'code: kind of venue when scanned; empty for an unregistered venue',
    area_code LowCardinality(String) COMMENT 'GB/T 2260 code, 6 or 9 digits; 000000: none',
    lat Nullable(Float64) COMMENT 'degrees WGS 84: latitude of the venue; null when unknown',
    lon Nullable(Float64) COMMENT 'degrees WGS 84: longitude of the venue; null when unknown',
    colour LowCardinality(String) COMMENT 'green, yellow, red or unknown: in force at scanned_at',
    labels Array(LowCardinality(String)) COMMENT 'codes: labels of that status',
    status_version Nullable(UInt64) COMMENT 'number: version of that status; null when none was in force',
    status_age_s Nullable(Int64) COMMENT 's: from the issue of that status to the scan; null when none was in force',
    decision LowCardinality(String) COMMENT 'admit, refuse, isolate or check',
    stay_until Nullable(DateTime64(3, 'UTC')) COMMENT 'instant: end of the stay assumed while streaming; null for a leave',
    flags Array(LowCardinality(String)) COMMENT 'codes: late, unknown_venue, ...; empty for an ordinary visit',
    scan_id UUID COMMENT 'UUIDv7: given by the gateway',
    gateway LowCardinality(String) COMMENT 'id: of the gateway that took the scan',
    processed_at DateTime64(3, 'UTC') COMMENT 'instant: when the worker decided',
    source_topic LowCardinality(String) COMMENT 'name: topic of the scan (identity)',
    source_partition UInt32 COMMENT 'number: partition of the scan (identity)',
    source_offset UInt64 COMMENT 'number: offset of the scan (identity)',
    place String ALIAS if(vehicle = '', concat('venue:', venue_id), concat('trip:', toString(length(vehicle)), ':', vehicle, ':', run)) COMMENT 'key: the venue, or the trip (vehicle and run)'
)
ENGINE = ReplacingMergeTree(processed_at)
PARTITION BY toDate(scanned_at)
ORDER BY (person_token, scanned_at, source_topic, source_partition, source_offset)
{{retention:scanned_at}}
SETTINGS index_granularity = 1024, min_bytes_for_wide_part = 134217728
COMMENT 'Visits by person and time; read them through the views';

CREATE TABLE IF NOT EXISTS visits_by_place
(
    place String COMMENT 'key: the venue, or the trip (vehicle and run)',
    slot UInt32 COMMENT 'number: half-hours from 1970-01-01T00:00Z to scanned_at, rounded down',
    scanned_at DateTime64(3, 'UTC') COMMENT 'instant, ms: when the code was scanned (event time)',
    person_token FixedString(16) COMMENT '16 bytes: HMAC of the person id, never the id itself',
    direction Enum8('enter' = 1, 'leave' = 2) COMMENT 'enter or leave',
    venue_id String COMMENT 'id: of the venue in the registry',
    point_id String COMMENT 'id: of the entrance, gate or carriage within the venue',
    vehicle String COMMENT 'id: of the vehicle on a trip; empty where there is no trip',
    run String COMMENT 'id: of the run of that vehicle; empty where there is no trip',
    carriage String COMMENT 'id: within the vehicle; empty when unknown',
    seat String COMMENT 'id: within the carriage; empty when unknown',
    category LowCardinality(String) COMMENT 'code: kind of venue when scanned; empty for an unregistered venue',
    colour LowCardinality(String) COMMENT 'green, yellow, red or unknown: in force at scanned_at',
    flags Array(LowCardinality(String)) COMMENT 'codes: late, unknown_venue, ...; empty for an ordinary visit',
    processed_at DateTime64(3, 'UTC') COMMENT 'instant: when the worker decided',
    source_topic LowCardinality(String) COMMENT 'name: topic of the scan (identity)',
    source_partition UInt32 COMMENT 'number: partition of the scan (identity)',
    source_offset UInt64 COMMENT 'number: offset of the scan (identity)',
    INDEX venues venue_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(processed_at)
PARTITION BY toDate(scanned_at)
ORDER BY (place, slot, scanned_at, person_token, source_topic, source_partition, source_offset)
{{retention:scanned_at}}
SETTINGS index_granularity = 1024, max_compress_block_size = 16384
COMMENT 'The same visits by place, half-hour slot and time: who else was there';

CREATE TABLE IF NOT EXISTS alerts
(
    alert_id FixedString(16) COMMENT '16 bytes: the same alert raised twice has the same id',
    level LowCardinality(String) COMMENT 'red, yellow or review',
    kind LowCardinality(String) COMMENT 'red_scan, yellow_scan or unknown_scan',
    person_token FixedString(16) COMMENT '16 bytes: HMAC of the person id, never the id itself',
    venue_id String COMMENT 'id: of the venue',
    point_id String COMMENT 'id: of the entrance, gate or carriage within the venue',
    venue_name String COMMENT 'text: name of the venue',
    category LowCardinality(String) COMMENT 'code: kind of venue; empty for an unregistered venue',
    area_code LowCardinality(String) COMMENT 'GB/T 2260 code, 6 or 9 digits; 000000: none',
    lat Nullable(Float64) COMMENT 'degrees WGS 84: latitude of the venue; null when unknown',
    lon Nullable(Float64) COMMENT 'degrees WGS 84: longitude of the venue; null when unknown',
    scan_id UUID COMMENT 'UUIDv7: of the scan that raised it',
    scanned_at DateTime64(3, 'UTC') COMMENT 'instant, ms: when the code was scanned (event time)',
    detected_at DateTime64(3, 'UTC') COMMENT 'instant, ms: when the worker raised it',
    reason String COMMENT 'text: why',
    action_code LowCardinality(String) COMMENT 'code: what the responder is to do',
    action_zh String COMMENT 'text: what to do, in Chinese',
    action_en String COMMENT 'text: what to do, in English',
    rule_version UInt32 COMMENT 'number: version of the rules that decided'
)
ENGINE = ReplacingMergeTree(detected_at)
ORDER BY alert_id
{{retention:detected_at}}
COMMENT 'Alerts, one row each; read them through all_alerts';

CREATE TABLE IF NOT EXISTS venues
(
    venue_id String COMMENT 'id: of the venue',
    organisation_id String COMMENT 'id: of the organisation that runs it',
    name String COMMENT 'text: name of the venue',
    category LowCardinality(String) COMMENT 'code: kind of venue',
    area_code LowCardinality(String) COMMENT 'GB/T 2260 code, 6 or 9 digits; 000000: none',
    address String COMMENT 'text: postal address',
    lat Nullable(Float64) COMMENT 'degrees WGS 84: latitude; null when unknown',
    lon Nullable(Float64) COMMENT 'degrees WGS 84: longitude; null when unknown',
    points Array(Tuple(point_id String, name String)) COMMENT 'ids and texts: entrances, gates, carriages',
    status LowCardinality(String) COMMENT 'pending, approved, suspended or closed',
    version UInt64 COMMENT 'number: grows with every change',
    stored_at DateTime('UTC') DEFAULT now() COMMENT 'instant, s: when this version was stored'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY venue_id
{{retention:stored_at:status = 'closed'}}
COMMENT 'The registry of venues, newest version each; a closed venue goes when no visit to it can be left';

CREATE TABLE IF NOT EXISTS health_changes
(
    person_token FixedString(16) COMMENT '16 bytes: HMAC of the person id, never the id itself',
    version UInt64 COMMENT 'number: grows with every status of the person',
    colour LowCardinality(String) COMMENT 'green, yellow or red',
    labels Array(LowCardinality(String)) COMMENT 'codes: labels of the status',
    reason String COMMENT 'text: why',
    evidence Nullable(String) COMMENT 'text: on what evidence; null when none is named',
    valid_from DateTime64(3, 'UTC') COMMENT 'instant: in force from here',
    valid_until DateTime64(3, 'UTC') COMMENT 'instant: in force until before this; later than 2299 is stored as 2299',
    issuer LowCardinality(String) COMMENT 'id: of the authority',
    issued_at DateTime64(3, 'UTC') COMMENT 'instant: when it was issued'
)
ENGINE = ReplacingMergeTree
ORDER BY (person_token, version)
{{retention:issued_at}}
COMMENT 'Health statuses, one row a person and version; an erased person has none';

CREATE TABLE IF NOT EXISTS exposure_windows
(
    window_id String COMMENT 'id: of the window (case-sensitive)',
    venue_id String COMMENT 'id: of the venue somebody infected was at',
    starts_at DateTime64(3, 'UTC') COMMENT 'instant: from here',
    ends_at DateTime64(3, 'UTC') COMMENT 'instant: until here',
    title String COMMENT 'text: what the authority called it',
    advice String COMMENT 'text: what those who were there are to do',
    source String COMMENT 'text: who published it',
    stored_at DateTime('UTC') DEFAULT now() COMMENT 'instant, s: when this row was stored'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY window_id
{{retention:stored_at}}
COMMENT 'Exposure windows as published, newest row each';

CREATE TABLE IF NOT EXISTS contact_rules
(
    rule_id LowCardinality(String) COMMENT 'id: of the rule',
    name_zh String COMMENT 'text: name in Chinese',
    name_en String COMMENT 'text: name in English',
    place LowCardinality(String) COMMENT 'venue, venue_or_trip, point or cell_800m: what counts as one place',
    overlap LowCardinality(String) COMMENT 'interval: stays overlap; instant: an entry lies strictly inside the window',
    min_minutes UInt32 COMMENT 'min: shortest time together',
    sum_over LowCardinality(String) COMMENT 'single_meeting, rolling_24h or calendar_day: what the minutes are summed over',
    lookback_days String COMMENT 'd before onset or sampling; or from_first_meeting',
    lookahead_days String COMMENT 'd after onset or sampling; or until_isolated',
    indirect_tail String COMMENT 'min after an infected stay ends in which a later arrival counts; 0, or min(stay;30)',
    extra String COMMENT 'text: what else the rule says',
    source_note String COMMENT 'text: where the rule was published',
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'instant: version of this row',
    retired_at DateTime('UTC') DEFAULT '2099-01-01 00:00:00' COMMENT 'instant, s: when the rule was taken out of use'
)
ENGINE = ReplacingMergeTree(loaded_at)
ORDER BY rule_id
{{retention:retired_at}}
COMMENT 'Published definitions of a contact, newest row each';

CREATE TABLE IF NOT EXISTS venue_categories
(
    category LowCardinality(String) COMMENT 'code: kind of venue',
    name_zh String COMMENT 'text: name in Chinese',
    name_en String COMMENT 'text: name in English',
    is_vehicle Bool COMMENT 'whether venues of this kind move',
    default_stay_minutes UInt32 COMMENT 'min: stay assumed when no later scan ends it',
    max_stay_minutes UInt32 COMMENT 'min: a next scan later than this does not end the stay; 1440 at most',
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'instant: version of this row',
    retired_at DateTime('UTC') DEFAULT '2099-01-01 00:00:00' COMMENT 'instant, s: when the kind was taken out of use'
)
ENGINE = ReplacingMergeTree(loaded_at)
ORDER BY category
{{retention:retired_at}}
COMMENT 'Kinds of venue and how long people stay in them, newest row each';
