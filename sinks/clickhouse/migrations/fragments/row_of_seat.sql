-- The row of a seat on a trip, out of its first digits.
if(vehicle = '', NULL, toInt32OrNull(extract(seat, '^(\\d{1,4})(?:\\D|$)')))
