-- As `estimate_share`; one window alone is counted whole, by its place.
(SELECT count() FROM visits) AS stored,
    (SELECT if({window_id:Nullable(String)} IS NULL, least(1., ifNull({share:Nullable(Float64)}, 120000 / greatest(stored, 1))), 1.)) AS part,
    (SELECT part * stored > most_rows OR {window_id:Nullable(String)} IS NOT NULL) AS by_place,
    {{include:sample_end}}
