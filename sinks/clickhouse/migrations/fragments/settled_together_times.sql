-- When two settled stays are together, in ms since 1970: `m` is of a case, `t` of somebody else.
t.begin >= m.4 AS in_tail,
            greatest(m.3, t.begin, m.10) AS begin_ms,
            if(asked.4, t.begin, least(t.end, if(in_tail, m.5, m.4), m.11)) AS end_ms
