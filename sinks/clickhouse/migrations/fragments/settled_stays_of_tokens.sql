-- The settled stays of `case_tokens`: when they begin and how long they are, in ms.
SELECT person_token, place_key, toUnixTimestamp64Milli(scanned_at) AS begin, {{include:settled_length}} AS length
            FROM settled_stays FINAL
            WHERE person_token IN (SELECT arrayJoin(case_tokens))
                AND NOT throwIf(ifNull({dwell:Nullable(String)}, 'best') NOT IN ('best', 'default'),
                    'settled stays end by best or default; ask contacts_of for other ways')
                AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
