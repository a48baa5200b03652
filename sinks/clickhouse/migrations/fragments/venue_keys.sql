-- Where others lie who were at the venue of a stay, in settled_stays_by_place: those on no trip, and those on one. The first
-- says which venue it is.
[cityHash64(concat('venue:', venue_id)), {{include:boarded_key}}]
