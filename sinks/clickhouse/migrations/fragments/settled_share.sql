-- As `estimate_share`, of settled stays.
(SELECT count() FROM settled_stays) AS stored,
    (SELECT {{include:settled_part}}) AS part,
    {{include:sample_end}}
