-- A person's contacts under the rule `asked`, and the stays in which contacts of contacts may have met these.
{{include:settled_asked}},
    {{include:city_zone}},
    {{include:days_of_span}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    toFixedString(unhex({person_token:String}), 16) AS index_token,
{{include:settled_first_degree}},
    {{include:settled_second_cases}},
{{include:settled_cases}}
