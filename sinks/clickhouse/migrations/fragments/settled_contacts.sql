-- Contacts out of `pieces`: all meetings of one case with one person in one row, where they last long enough for the rule
-- `asked`. Minutes are counted once, however many places and stays give them.
SELECT *
FROM
(
    SELECT
        *,
        asked AS rule,
        {{include:counted_of_meetings}}
    FROM
    (
        SELECT
            {{include:meetings_of_moments}}
        FROM
        (
            SELECT
                case_token, contact_token,
                {{include:gathered_pieces}}
            FROM pieces
            GROUP BY case_token, contact_token
        )
    )
)
WHERE if(rule.6, counted_ms > rule.5, counted_ms >= rule.5)
