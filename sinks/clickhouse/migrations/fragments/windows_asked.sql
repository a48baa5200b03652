-- The window that is asked for, or all.
windows AS
    (
        SELECT window_id, venue_id, starts_at, ends_at
        FROM exposure_windows FINAL
        WHERE starts_at < ends_at AND ifNull(window_id = {window_id:Nullable(String)}, true)
    ),
    (SELECT min(starts_at) FROM windows) AS span_begin,
    (SELECT max(ends_at) FROM windows) AS span_end
