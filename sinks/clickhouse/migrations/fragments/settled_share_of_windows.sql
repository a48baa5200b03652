-- As `settled_share`; one window alone is counted whole, by its place.
(SELECT {window_id:Nullable(String)} IS NOT NULL) AS by_place,
    (SELECT count() FROM settled_stays) AS stored,
    (SELECT if(by_place, 1., least(1., ifNull({share:Nullable(Float64)}, 400000 / greatest(stored, 1))))) AS part,
    {{include:sample_end}}
