-- Of the sample `part`, how many people are contacts of `cases` and neither one of them nor the person: counted as the answer
-- does. With `by_place` the sample's scans are looked for where cases were, else all of them are read.
reach AS
    (
        SELECT
            place, venue_id,
            toUInt32(intDiv(toUnixTimestamp(scanned_at), 1800)) AS first_slot,
            toUInt32(intDiv(toUnixTimestamp(if(dwell_mode = 'default' OR asked.3 = 'venue', scanned_at + toIntervalHour(24),
                leadInFrame(scanned_at, 1, scanned_at + toIntervalHour(24)) OVER
                (
                    PARTITION BY person_token ORDER BY scanned_at, source_topic, source_partition, source_offset
                    ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
                ))), 1800)) AS next_slot,
            arrayJoin(range(toUInt32(first_slot - 48), toUInt32(least(next_slot, first_slot + 48) + 10))) AS slot
        FROM visits FINAL
        WHERE by_place AND person_token IN (SELECT person_token FROM cases)
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
            AND direction = 'enter'
    ),
    scans AS
    (
        SELECT {{include:scan_columns}}
        FROM visits FINAL
        WHERE part > 0
            AND
            (
                person_token IN (SELECT person_token FROM cases)
                OR (NOT by_place AND person_token < sample_end)
                OR (by_place AND person_token < sample_end AND (person_token, toDate(scanned_at)) IN
                    (
                        SELECT person_token, arrayJoin([toDate(scanned_at), toDate(scanned_at) + 1])
                        FROM visits_by_place
                        WHERE by_place AND person_token < sample_end AND direction = 'enter'
                            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
                            AND ((place, slot) IN
                                (SELECT arrayJoin(if(asked.3 = 'venue', [place, concat('venue:', venue_id)], [place])), slot FROM reach)
                                OR (asked.3 = 'venue' AND place >= 'trip:' AND place < 'trip;'
                                    AND (venue_id, slot) IN (SELECT venue_id, slot FROM reach)))
                    ))
            )
            AND person_token != index_token
            AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at <= span_end + toIntervalHour(24)
    ),
    ended AS ({{include:dwell_stays}}),
    pieces AS ({{include:sampled_pieces}})
{{include:people_named}}
