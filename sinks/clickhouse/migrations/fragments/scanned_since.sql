-- Whoever was settled where and when `reach` says, to an end that was not scanned, and has a scan since: it may be the end.
SELECT person_token
FROM visits
PREWHERE person_token IN
    (
        SELECT person_token
        FROM settled_stays_by_place FINAL
        PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM reach WHERE live)
        WHERE scanned_at < least(known_until, span_end) AND NOT {{include:settled_for_good}}
    )
WHERE scanned_at >= known_until AND scanned_at <= span_end + toIntervalHour(24)
