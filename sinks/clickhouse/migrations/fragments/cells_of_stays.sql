-- The cells of the stays `s` at the venues `v`, with when these stays began and ended.
if(throwIf(ifNull({dwell:Nullable(String)}, 'best') NOT IN ('best', 'default'),
                'settled stays end by best or default; ask companions_by_cell for other ways'),
            [], groupArray((v.cell_800m, s.begin, s.end)))
