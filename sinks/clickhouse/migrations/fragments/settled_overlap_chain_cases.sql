-- Everybody who was with a person at all, and the stretches in which contacts of contacts may have met one of these.
{since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    toFixedString(unhex({person_token:String}), 16) AS index_token,
{{include:settled_first_overlaps}},
    {{include:settled_second_cases}},
{{include:settled_unions}}
