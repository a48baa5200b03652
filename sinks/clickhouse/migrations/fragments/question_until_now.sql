-- One rule, one span, answered to the second: the names that what follows builds on. `cases` is named before.
{{include:one_rule_one_span}},
{{include:stays_until_now}},
    pieces AS ({{include:pieces_until_now}})
