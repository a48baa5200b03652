-- As `settled_share`; one window alone is counted whole, by its place.
(SELECT {window_id:Nullable(String)} IS NOT NULL) AS by_place,
    (SELECT count() FROM settled_stays) AS stored,
    (SELECT if(by_place, 1., {{include:settled_part}})) AS part,
    {{include:sample_end}}
