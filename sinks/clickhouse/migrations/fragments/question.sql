-- One rule, one span: the names that the other fragments build on. `cases` is named before.
    {{include:dwell_mode}},
    {{include:city_zone}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    rules AS
    (
        SELECT {{include:rule_columns}},
            {since:DateTime64(3, 'UTC')} AS rule_begin, {until:DateTime64(3, 'UTC')} AS rule_end
        FROM all_contact_rules
        WHERE rule_id = ifNull({rule_id:Nullable(String)}, 'any_overlap')
    ),
{{include:others}}
