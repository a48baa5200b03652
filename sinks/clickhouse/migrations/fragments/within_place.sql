if(asked.3 = 'point', point_id, ''), if(asked.9 AND vehicle != '', carriage, ''),
            if(vehicle = '', NULL, toInt32OrNull(extract(seat, '^(\\d{1,4})(?:\\D|$)')))
