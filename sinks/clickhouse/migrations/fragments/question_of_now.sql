-- One rule, one span, answered to the second: the names that `reach_of_cases` builds on. `cases` is named before.
    {{include:dwell_mode}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    {{include:days_of_span}},
    {{include:asked}},
{{include:known_until}}
