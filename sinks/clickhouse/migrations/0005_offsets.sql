-- After any doubt the sink looks for a range of offsets, which are the newest: parts that hold older ones are passed over.
ALTER TABLE visits ADD INDEX IF NOT EXISTS offsets source_offset TYPE minmax GRANULARITY 64;

ALTER TABLE visits_by_place ADD INDEX IF NOT EXISTS offsets source_offset TYPE minmax GRANULARITY 64;
