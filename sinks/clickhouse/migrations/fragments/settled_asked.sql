-- The rule that is asked for, `any_overlap` where none is, as `asked` has it; one that settled stays can answer.
    (
        SELECT if(throwIf(empty(found), 'there is no such contact rule; SELECT rule_id FROM all_contact_rules lists them')
            OR throwIf(found[1].3 NOT IN ('venue_or_trip', 'point'),
                'settled stays lie by venue or trip: this rule is about venues or cells; ask contacts_of or companions_by_cell')
            OR {{include:refuse_other_dwell}},
            found[1], found[1])
        FROM (SELECT groupArray(rule) AS found FROM ({{include:rule_in_force}}))
    ) AS asked
