-- Stays as they were settled; which ones is said where this is included.
SELECT
            person_token, place_key, venue_id, point_id, vehicle, carriage, seat, toUnixTimestamp64Milli(scanned_at) AS begin,
            begin + {{include:settled_length}} AS end, {{include:settled_dwell}} AS dwell, late
        FROM settled_stays_by_place FINAL
