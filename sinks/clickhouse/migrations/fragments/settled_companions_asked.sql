-- Of a question about companions: the rule, the city's days, the span, and what is near the person's stays in cells.
{{include:asked_cells}},
    {{include:city_zone}},
    {{include:days_of_span}},
    toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) AS span_begin,
    toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS span_end,
{{include:settled_in_cells}},
    arrayFlatten(arrayMap(stay -> arrayMap(there -> (there.1, stay.1), stay.7), stays_in_cells)) AS cell_of_venue
