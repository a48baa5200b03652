-- Contacts of one person out of `pieces`, under each of its rules: as `settled_contacts`.
SELECT *
FROM
(
    SELECT
        *,
        rules[number].1 AS rule,
        {{include:counted_of_meetings}}
    FROM
    (
        SELECT
            {{include:meetings_of_moments}}
        FROM
        (
            SELECT
                number, contact_token,
                {{include:gathered_pieces}}
            FROM pieces
            GROUP BY number, contact_token
        )
    )
)
WHERE if(rule.6, counted_ms > rule.5, counted_ms >= rule.5)
