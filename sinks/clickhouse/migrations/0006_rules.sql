-- Rules with versions: an operator's never gives way to one that is shipped. The published texts of the file stay as they
-- are; the view reads numbers out of them.
ALTER TABLE contact_rules
    ADD COLUMN IF NOT EXISTS version UInt32 COMMENT 'number: of this definition; 0: from before there were versions',
    ADD COLUMN IF NOT EXISTS origin LowCardinality(String) DEFAULT if(rule_id IN ('cn_close_contact', 'cn_secondary_contact', 'cn_spacetime_companion', 'us_cdc', 'who', 'cwa', 'nz_window', 'uk_nhs'), 'shipped', 'operator') COMMENT 'shipped or operator: who added this version',
    ADD COLUMN IF NOT EXISTS strict Bool COMMENT 'true: more than min_minutes; false: at least',
    ADD COLUMN IF NOT EXISTS by_carriage Bool COMMENT 'true: on a trip, two known and different carriages do not meet',
    ADD COLUMN IF NOT EXISTS seat_rows Nullable(UInt8) COMMENT 'rows: on a trip, known rows further apart do not meet; null: rows do not matter',
    ADD COLUMN IF NOT EXISTS companion_hours Nullable(UInt16) COMMENT 'h: either party is in the cell for more than this; null: no such clause',
    ADD COLUMN IF NOT EXISTS companion_days Nullable(UInt16) COMMENT 'd: in which companion_hours are summed; null: no such clause',
    MODIFY ORDER BY (rule_id, version);

CREATE OR REPLACE VIEW contact_rule_versions
(
    rule_id String COMMENT 'id: of the rule',
    version UInt32 COMMENT 'number: of this definition; the highest of an origin is the newest',
    origin String COMMENT 'shipped or operator: who added it',
    name_zh String COMMENT 'text: name in Chinese',
    name_en String COMMENT 'text: name in English',
    place String COMMENT 'venue, venue_or_trip, point or cell_800m: what counts as one place',
    by_carriage Bool COMMENT 'true: on a trip, two known and different carriages do not meet',
    seat_rows Nullable(UInt8) COMMENT 'rows: on a trip, known rows further apart do not meet; null: rows do not matter',
    overlap String COMMENT 'interval: stays overlap; instant: an entry lies strictly inside a stay or window',
    min_minutes UInt32 COMMENT 'min: shortest time together',
    strict Bool COMMENT 'true: more than min_minutes; false: at least',
    sum_over String COMMENT 'single_meeting, rolling_24h or calendar_day: what the minutes are summed over',
    lookback_days Nullable(UInt32) COMMENT 'd: before onset or sampling; null: from the first meeting of the case and the contact',
    from_first_meeting Bool COMMENT 'true: a rule for contacts of contacts, from the first meeting on',
    lookahead_days Nullable(UInt32) COMMENT 'd: after onset or sampling; null: until isolation',
    tail_minutes UInt32 COMMENT 'min: after a stay of the case ends, at most, in which a later arrival counts; never longer than the stay',
    companion_hours Nullable(UInt16) COMMENT 'h: either party is in the cell for more than this; null: no such clause',
    companion_days Nullable(UInt16) COMMENT 'd: in which companion_hours are summed; null: no such clause',
    extra String COMMENT 'text: what else the rule says',
    source_note String COMMENT 'text: where the rule was published',
    loaded_at DateTime64(3, 'UTC') COMMENT 'instant: when it was added'
)
AS SELECT
    rule_id, version, origin, name_zh, name_en, place, by_carriage, seat_rows, overlap, min_minutes, strict, sum_over,
    toUInt32OrNull(lookback_days) AS lookback_days, r.lookback_days = 'from_first_meeting' AS from_first_meeting,
    toUInt32OrNull(lookahead_days) AS lookahead_days, toUInt32OrZero(extract(indirect_tail, '\\d+')) AS tail_minutes,
    companion_hours, companion_days, extra, source_note, loaded_at
FROM (SELECT * FROM contact_rules FINAL) AS r
COMMENT 'Every version of every definition of a contact';

CREATE OR REPLACE VIEW all_contact_rules AS
SELECT * FROM contact_rule_versions
ORDER BY rule_id, origin = 'operator' DESC, version DESC
LIMIT 1 BY rule_id
COMMENT 'The definitions of a contact in force: the newest of an operator, else the newest that was shipped';

CREATE TABLE IF NOT EXISTS city_settings
(
    name LowCardinality(String) COMMENT 'name: timezone',
    value String COMMENT 'text: an IANA time zone, in which calendar days begin',
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'instant: version of this row'
)
ENGINE = ReplacingMergeTree(stored_at)
ORDER BY name
COMMENT 'What the queries must know of the city; `venuecode migrate up` keeps it as in the settings';

-- A fixed grid: rows 800 m high on a sphere of 6371008.8 m; in each row, columns 800 m wide at the latitude of its middle.
ALTER TABLE venues ADD COLUMN IF NOT EXISTS cell_800m String MATERIALIZED if(lat IS NULL OR lon IS NULL, '', concat(
    toString(toInt32(floor(6371008.8 * radians(ifNull(lat, 0)) / 800))), ':',
    toString(toInt32(floor(6371008.8 * cos((floor(6371008.8 * radians(ifNull(lat, 0)) / 800) + 0.5) * 800 / 6371008.8)
        * radians(ifNull(lon, 0)) / 800)))))
    COMMENT 'id: row and column of the 800 m grid (docs/co-presence.md); empty when the position is unknown';
