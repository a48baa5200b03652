-- One rule, one span, answered to the second: the names that `reach_of_cases` builds on. `cases` is named before.
{{include:one_rule_one_span}},
{{include:known_until}}
