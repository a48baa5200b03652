-- How many people the pieces are enough for; as `settled_contacts`, without what is not counted. Ends within its WHERE.
SELECT uniqExact(contact_token) AS named
FROM
(
    SELECT
        contact_token, asked AS rule,
        {{include:counted_of_meetings}}
    FROM
    (
        SELECT
            {{include:meetings_of_moments}}
        FROM
        (
            SELECT
                case_token, contact_token,
                {{include:gathered_moments}}
            FROM pieces
            GROUP BY case_token, contact_token
        )
    )
)
WHERE if(rule.6, counted_ms > rule.5, counted_ms >= rule.5)
