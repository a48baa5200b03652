-- When who was in which of the cells, in the days of the rule before `until`: ms since 1970. Who is asked about follows.
SELECT
                person_token, transform(venue_id, cell_of_venue.1, cell_of_venue.2, '') AS cell,
                toUnixTimestamp64Milli(scanned_at) AS came,
                greatest(came, span_end - asked.12 * 86400000) AS begin_ms,
                least(came + {{include:settled_length}}, span_end) AS end_ms
            FROM settled_stays FINAL
            WHERE vehicle = '' AND cell != '' AND begin_ms < end_ms
                AND scanned_at >= {until:DateTime64(3, 'UTC')} - toIntervalDay(asked.12) - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
