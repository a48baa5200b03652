-- Of a question about companions: the rule, the city's days, the span, and what is near the person's stays in cells.
{{include:asked_cells}},
    {{include:city_zone}},
    {{include:days_of_span}},
    {{include:span_in_ms}},
    [(asked, span_begin, span_end)] AS rules,
{{include:settled_by_rule}},
    arrayFlatten(arrayMap(stay -> arrayMap(there -> (there.1, stay.2), stay.3), stays_by_rule)) AS cell_of_venue
