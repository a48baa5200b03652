-- Of all people, how many are looked at: as asked for, else those of some 400,000 of the stays `stored`. These cost next to nothing
-- beside what else an estimate reads, and are enough for one look in most cities.
least(1., ifNull({share:Nullable(Float64)}, 400000 / greatest(stored, 1)))
