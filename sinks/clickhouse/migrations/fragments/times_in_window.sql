-- When a settled stay `t` is in a window `w`, in ms since 1970, under the rule `asked`.
if(asked.4, t.begin, greatest(t.begin, w.begin)) AS begin_ms, if(asked.4, t.begin, least(t.end, w.end)) AS end_ms
