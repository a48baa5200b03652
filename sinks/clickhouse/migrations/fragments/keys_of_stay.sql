-- Where others lie who were where a stay was, in settled_stays_by_place: at its place, or with `at_venue` at its venue, on a
-- trip or not. The first says which place it is.
if(at_venue, [cityHash64(concat('venue:', venue_id)), cityHash64(concat('boarded:', venue_id))], [place_key])
