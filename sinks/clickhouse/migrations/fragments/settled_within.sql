-- What narrows a place under the rule `asked`: the point, the carriage, the row of the seat.
if(asked.3 = 'point', point_id, '') AS point, if(asked.9 AND vehicle != '', carriage, '') AS carriage,
                if(vehicle = '', NULL, toInt32OrNull(extract(seat, '^(\\d{1,4})(?:\\D|$)'))) AS row
