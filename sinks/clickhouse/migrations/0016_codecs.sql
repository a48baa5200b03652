-- Lighter codecs where they cost no space (docs/decisions/0011-storage.md): ZSTD stays for what it makes smaller in a city
-- whose people go the same ways. Parts written before keep theirs until they are merged.

ALTER TABLE visits
    MODIFY COLUMN scanned_at CODEC(T64, LZ4),
    MODIFY COLUMN direction CODEC(LZ4),
    MODIFY COLUMN colour CODEC(LZ4),
    MODIFY COLUMN labels CODEC(LZ4),
    MODIFY COLUMN decision CODEC(LZ4),
    MODIFY COLUMN flags CODEC(LZ4),
    MODIFY COLUMN scan_id_ms CODEC(T64, LZ4),
    MODIFY COLUMN processed_ms CODEC(T64, LZ4),
    MODIFY COLUMN source_topic CODEC(LZ4),
    MODIFY COLUMN source_offset CODEC(T64, LZ4);

ALTER TABLE visits_by_place
    MODIFY COLUMN place CODEC(LZ4),
    MODIFY COLUMN slot CODEC(Delta, LZ4),
    MODIFY COLUMN direction CODEC(LZ4),
    MODIFY COLUMN venue_id CODEC(LZ4),
    MODIFY COLUMN colour CODEC(LZ4),
    MODIFY COLUMN flags CODEC(LZ4),
    MODIFY COLUMN processed_ms CODEC(T64, LZ4),
    MODIFY COLUMN source_topic CODEC(LZ4),
    MODIFY COLUMN source_partition CODEC(T64, LZ4),
    MODIFY COLUMN source_offset CODEC(T64, LZ4);
