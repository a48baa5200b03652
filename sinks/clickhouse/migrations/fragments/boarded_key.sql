-- Where those lie who boarded a vehicle at a venue, in settled_stays_by_place: no place has it.
cityHash64(concat('boarded:', venue_id))
