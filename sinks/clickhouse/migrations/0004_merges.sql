-- What a row costs after it was inserted (docs/decisions/0010-sink.md). Visits by place keep all columns in one file up
-- to 128 MiB too: small parts are read whole anyway. A merge waits for more parts of a size, so that a row is merged
-- fewer times on its way into a large part; a day then has up to about 30 active parts while rows come in, not 17.
-- The limits are what bounds them if merges fall behind: inserts slow down, then wait in Kafka.

ALTER TABLE visits MODIFY SETTING
    merge_selector_base = 10, parts_to_delay_insert = 150, parts_to_throw_insert = 300;

ALTER TABLE visits_by_place MODIFY SETTING
    merge_selector_base = 10, parts_to_delay_insert = 150, parts_to_throw_insert = 300,
    min_bytes_for_wide_part = 134217728;
