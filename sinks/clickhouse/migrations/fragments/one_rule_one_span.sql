-- How stays end, from when to when, and by which rule: what is asked.
    {{include:dwell_mode}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    {{include:days_of_span}},
    {{include:asked}}
