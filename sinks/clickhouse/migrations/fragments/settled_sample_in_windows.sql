-- Settled stays at the venues of windows, with those that began on a trip there: of one window by its place, of all windows
-- those of the sample `part`.
SELECT place_key, slot, person_token, venue_id, {{include:settled_times}}
            FROM settled_stays_by_place FINAL
            PREWHERE by_place AND (place_key, slot) IN (SELECT place_key, slot FROM near WHERE by_place)
            UNION ALL
            SELECT
                if(vehicle = '', place_key, {{include:boarded_key}}) AS place_key,
                toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800)) AS slot, person_token, venue_id,
                {{include:settled_times}}
            FROM settled_stays FINAL
            WHERE NOT by_place AND part > 0 AND person_token < sample_end
