-- As `settled_by_rule`, with rules about venues alone: their stays are looked up at the venue, under both of its keys, and
-- where others are is the venue (2 of a stay).
    (
        SELECT if(throwIf(ifNull({dwell:Nullable(String)}, 'best') NOT IN ('best', 'default'),
                'settled stays end by best or default; ask rule_comparison for other ways'),
            [],
            groupArray((
                (
                    number, if(by_cell, cityHash64(cell), keys[1]), begin, end, end + least(length, rule.8),
                    if(rule.3 = 'point', point_id, ''), if(rule.9 AND vehicle != '', carriage, ''), row, dwell,
                    rules[number].2, rules[number].3, rule.4, rule.3 = 'point', rule.9, rule.10
                ),
                cell, if(by_cell, venues, [('', s.key, slots)]))))
        FROM
        (
            SELECT
                place_key, venue_id, point_id, vehicle, carriage, {{include:row_of_seat}} AS row,
                {{include:settled_dwell}} AS dwell,
                {{include:settled_length}} AS length,
                toUnixTimestamp64Milli(scanned_at) AS begin, begin + length AS end,
                arrayJoin(arrayEnumerate(rules)) AS number, rules[number].1 AS rule, rule.3 = 'cell_800m' AS by_cell,
                if(rule.3 = 'venue', {{include:venue_keys}}, [place_key]) AS keys, arrayJoin(keys) AS key
            FROM settled_stays FINAL
            WHERE person_token = toFixedString(unhex({person_token:String}), 16)
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
        ) AS s
        INNER JOIN (SELECT * FROM place_reach FINAL) AS p ON s.key = p.place_key
        LEFT JOIN
        (
            {{include:places_in_cells}}
        ) AS c ON s.venue_id = c.venue_id
        WHERE NOT by_cell OR (vehicle = '' AND cell != '')
    ) AS stays_by_rule,
    {{include:near_stays_by_rule}}
