-- Every exposure window, and beside it how many people were there and how often, by its id; what finds them follows.
SELECT
    w.window_id AS window_id, w.venue_id AS venue_id, w.title AS title, w.starts_at AS starts_at, w.ends_at AS ends_at,
    toUInt64(e.people) AS people, toUInt64(e.entries) AS entries
FROM (SELECT * FROM exposure_windows FINAL) AS w
LEFT JOIN
