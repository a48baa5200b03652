-- At which places and in which half-hours (`slot`) who met one of `cases` may have come: as long before as anybody stayed
-- there, and from `live_from` on (`live`) up to the longest stay there is, 24 h, before.
SELECT
            w.place AS place, w.venue_id AS venue_id, w.place_key AS place_key,
            arrayJoin(arrayFilter(each -> each >= w.first_live OR each + r.slots >= w.first_slot,
                range(toUInt32(w.first_slot - 48), toUInt32(least(w.next_slot, w.first_slot + 48) + 10)))) AS slot,
            slot >= w.first_live AS live
        FROM
        (
            SELECT
                place, venue_id, cityHash64(place) AS place_key, live_from AS first_live,
                {{include:slots_of_entry}}
            FROM visits FINAL
            WHERE person_token IN (SELECT person_token FROM cases)
                AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
                AND direction = 'enter'
        ) AS w
        LEFT JOIN (SELECT * FROM place_reach FINAL) AS r ON w.place_key = r.place_key
