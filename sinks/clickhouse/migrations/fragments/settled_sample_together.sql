-- Every piece of time, in ms since 1970, that a settled stay of a case and one of somebody of the sample `part` have in common.
pieces AS
    (
        SELECT
            m.1 AS case_token, t.person_token AS contact_token, t.place_key AS place_key,
            {{include:settled_together_times}}
        FROM
        (
            SELECT
                place_key, person_token, {{include:settled_within}},
                toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800)) AS slot, {{include:settled_times}}
            {{include:settled_sample}}
        ) AS t
        {{include:settled_together_where}}
    )
