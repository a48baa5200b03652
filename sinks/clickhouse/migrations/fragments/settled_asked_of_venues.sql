-- The rule about venues alone that is asked for, `uk_nhs` where none is, as `asked` has it.
    (
        SELECT if(throwIf(empty(found), 'there is no such contact rule; SELECT rule_id FROM all_contact_rules lists them')
            OR throwIf(found[1].3 != 'venue', 'this rule is not about venues alone: ask settled_contacts_of')
            OR {{include:refuse_other_dwell}},
            found[1], found[1])
        FROM
        (
            SELECT groupArray(rule) AS found
            FROM
            (
                SELECT {{include:rule}} AS rule
                FROM contact_rules FINAL
                WHERE rule_id = ifNull({rule_id:Nullable(String)}, 'uk_nhs')
                ORDER BY origin = 'operator' DESC, version DESC
                LIMIT 1
            )
        )
    ) AS asked
