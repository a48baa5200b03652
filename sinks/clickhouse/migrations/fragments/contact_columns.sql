lower(hex(contact_token)) AS contact,
    toUInt64(intDiv(overlap_ms, 1000)) AS overlap_s,
    toUInt64(intDiv(counted_ms, 1000)) AS counted_s,
    toUInt64(intDiv(direct_ms, 1000)) AS direct_s,
    first_meeting, last_meeting, meetings, indirect, venues,
    case_dwells AS person_dwells, contact_dwells, late, rule.1 AS rule_id, rule.2 AS rule_version
