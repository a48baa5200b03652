-- The rule about cells that is asked for, with its clause about hours. An error where there is none.
    (
        SELECT if(throwIf(empty(found), 'there is no such contact rule; SELECT rule_id FROM all_contact_rules lists them')
            OR throwIf(found[1].3 != 'cell_800m', 'this rule is not about cells: ask contacts_of'), found[1], found[1])
        FROM
        (
            SELECT groupArray(rule) AS found
            FROM
            (
                SELECT {{include:cell_rule}} AS rule
                FROM contact_rules FINAL
                WHERE rule_id = ifNull({rule_id:Nullable(String)}, 'cn_spacetime_companion')
                ORDER BY origin = 'operator' DESC, version DESC
                LIMIT 1
            )
        )
    ) AS asked
