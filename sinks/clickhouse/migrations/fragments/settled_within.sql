-- What narrows a place under the rule `asked`: the point, the carriage, the row of the seat.
if(asked.3 = 'point', point_id, '') AS point, if(asked.9 AND vehicle != '', carriage, '') AS carriage,
                {{include:row_of_seat}} AS row
