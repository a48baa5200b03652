-- Settled stays that are read sooner, for 2.6 bytes a visit: the stays of a thousand people in two thirds of the processor
-- time, who was at a thousand places in seven tenths (docs/decisions/0015-settled-stays.md). Parts written before keep their
-- form until they are merged.

ALTER TABLE settled_stays MODIFY COLUMN stay_ms CODEC(T64, LZ4);

-- A person's stays are a hundred rows or fewer, and of a compressed block all is decompressed.
ALTER TABLE settled_stays MODIFY SETTING min_compress_block_size = 8192, max_compress_block_size = 16384;

ALTER TABLE settled_stays_by_place
    MODIFY COLUMN scanned_at CODEC(T64, LZ4),
    MODIFY COLUMN stay_ms CODEC(T64, LZ4);
