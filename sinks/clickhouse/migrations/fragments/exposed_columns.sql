-- Of `contacts_of_cases` or `settled_contacts` whose cases are windows: who was in which, when and for how long.
case_token AS window_id, lower(hex(contact_token)) AS person_token,
    toUInt64(intDiv(overlap_ms, 1000)) AS overlap_s, toUInt64(intDiv(counted_ms, 1000)) AS counted_s,
    first_meeting AS first_there, last_meeting AS last_there, meetings AS times, contact_dwells AS dwells, late,
    rule.1 AS rule_id, rule.2 AS rule_version
