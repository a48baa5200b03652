-- As `estimate_share`, of settled stays; those of some 400,000 cost next to nothing beside what else the question reads, and
-- are enough for one look in most cities.
(SELECT count() FROM settled_stays) AS stored,
    (SELECT least(1., ifNull({share:Nullable(Float64)}, 400000 / greatest(stored, 1)))) AS part,
    {{include:sample_end}}
