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
            FROM settled_stays FINAL
            WHERE part > 0 AND person_token < sample_end
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
        ) AS t
        {{include:settled_together_where}}
    )
