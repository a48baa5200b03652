if(asked.3 = 'point', point_id, ''), if(asked.9 AND vehicle != '', carriage, ''),
            {{include:row_of_seat}}
