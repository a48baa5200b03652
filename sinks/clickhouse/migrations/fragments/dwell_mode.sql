-- The mode asked for, `best` where none is.
(
    SELECT if(throwIf({dwell:Nullable(String)} NOT IN ('explicit', 'next_scan', 'default', 'none', 'best'),
        'dwell must be one of explicit, next_scan, default, none, best'), '', ifNull({dwell:Nullable(String)}, 'best'))
) AS dwell_mode
