-- The share of all people that is looked at: the one that is asked for; else everybody in a small place, and in a city so
-- many that their visits are some 120,000. Tokens are keyed hashes, so those below a bound are a random sample, and lie
-- together. Where that is more
-- than `most_rows`, candidates are looked for by place, as the answer does.
(SELECT count() FROM visits) AS stored,
    (SELECT least(1., ifNull({share:Nullable(Float64)}, 120000 / greatest(stored, 1)))) AS part,
    (SELECT part * stored > most_rows) AS by_place,
    {{include:sample_end}}
