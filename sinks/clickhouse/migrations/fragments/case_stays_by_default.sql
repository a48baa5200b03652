-- The one case, and its stays when each is the default of its category, as constants: what follows is read by them.
    toFixedString(unhex({person_token:String}), 16) AS case_token,
    (
        SELECT groupArray({{include:stay_of_case}})
        FROM
        (
            SELECT
                place, venue_id, point_id, vehicle, carriage, seat, scanned_at, 'default' AS dwell,
                {{include:default_end}} AS left_at
            FROM visits FINAL
            WHERE person_token = toFixedString(unhex({person_token:String}), 16) AND direction = 'enter'
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
        )
    ) AS mine,
    toUInt32(intDiv(arrayMax(arrayPushBack(known.2, 60)), 30) + 1) AS most_slots
