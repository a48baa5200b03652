-- What ends of stays are worked out of.
person_token, place, venue_id, point_id, vehicle, run, carriage, seat, category, scanned_at, direction, flags,
            source_topic, source_partition, source_offset
