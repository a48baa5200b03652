-- As `estimate_share`, of settled stays.
(SELECT count() FROM settled_stays) AS stored,
    (SELECT least(1., ifNull({share:Nullable(Float64)}, 120000 / greatest(stored, 1)))) AS part,
    {{include:sample_end}}
