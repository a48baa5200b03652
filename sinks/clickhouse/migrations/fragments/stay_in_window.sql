-- Whether a settled stay is in a window under the rule `asked`.
INNER JOIN near AS w ON t.place_key = w.place_key AND t.slot = w.slot
        WHERE if(asked.4, w.begin < t.begin AND t.begin < w.end, begin_ms < end_ms)
