-- The rule that is asked for, `any_overlap` where none is; `rule.1` and so on are its parts. An error where there is none.
    (
        SELECT if(throwIf(empty(found), 'there is no such contact rule; SELECT rule_id FROM all_contact_rules lists them')
            OR throwIf(found[1].3 = 'cell_800m', 'this rule is about cells: ask companions_by_cell'), found[1], found[1])
        FROM (SELECT groupArray(rule) AS found FROM ({{include:rule_in_force}}))
    ) AS asked
