-- One rule, one span, answered to the second: the names that what follows builds on. `cases` is named before.
    {{include:dwell_mode}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    {{include:days_of_span}},
    {{include:asked}},
{{include:stays_until_now}},
    pieces AS ({{include:pieces_until_now}})
