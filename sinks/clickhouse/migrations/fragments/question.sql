-- One rule, one span: the names that the other fragments build on. `cases` is named before.
    {{include:dwell_mode}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    {{include:city_zone}},
    {{include:asked}},
    rules AS (SELECT asked AS rule, span_begin AS rule_begin, span_end AS rule_end),
{{include:others}},
    ended AS ({{include:dwell_stays}}),
    pieces AS ({{include:pairs}})
