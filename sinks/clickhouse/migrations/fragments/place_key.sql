multiIf(asked.3 = 'venue', venue_id, place)
