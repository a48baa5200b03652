-- On which days candidates came and may have stayed until; what makes them candidates follows.
SELECT person_token, arrayJoin([toDate(scanned_at), toDate(scanned_at) + 1])
                FROM visits_by_place
                WHERE direction = 'enter'
                    AND scanned_at >= span_begin - toIntervalHour(24) AND scanned_at < span_end
