-- Rules about venues alone, out of settled stays (docs/decisions/0017-settled-rules.md). Who boards a vehicle stays on the
-- trip, and was at the venue as well: a settled stay on a trip lies by place a second time, under a hash of the venue that is
-- no place's, where no other rule looks.

CREATE MATERIALIZED VIEW IF NOT EXISTS settled_to_boarding TO settled_stays_by_place AS
SELECT {{include:boarded}}
FROM settled_input
WHERE vehicle != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS settled_to_boarding_reach TO place_reach AS
SELECT {{include:boarded_reach}}
FROM settled_input
WHERE vehicle != ''
GROUP BY place_key;

INSERT INTO settled_stays_by_place
SELECT {{include:boarded}}
FROM settled_stays_by_place
WHERE vehicle != ''
SETTINGS max_partitions_per_insert_block = 0, max_execution_time = 0;

INSERT INTO place_reach
SELECT {{include:boarded_reach}}
FROM settled_stays_by_place
WHERE vehicle != ''
GROUP BY place_key
SETTINGS max_execution_time = 0;

CREATE OR REPLACE VIEW settled_contacts_of AS
WITH
    {{include:settled_contacts_asked}}
{{include:settled_cases}},
{{include:settled_contacts_found}};

-- One case under a rule about venues alone: a view of its own, so that settled_contacts_of needs no analysis for it.
CREATE OR REPLACE VIEW settled_contacts_by_venue AS
WITH
    {{include:settled_asked_of_venues}},
    {{include:city_zone}},
    {{include:days_of_span}},
{{include:one_case_in_ms}}
{{include:settled_cases_at_venues}},
{{include:settled_together_at_venues}}
SELECT
    {{include:contact_columns}}
FROM ({{include:settled_contacts}})
ORDER BY overlap_s DESC, contact
COMMENT 'Tracers. What contacts_of answers under a rule about venues alone, as of the last settlement and sooner. Parameters: person_token (32 hex digits), since, until (instants, UTC), rule_id (uk_nhs unless given; one about venues alone), dwell (best or default; best unless given). Columns: those of contacts_of';

CREATE OR REPLACE VIEW settled_rule_comparison AS
WITH
    {{include:city_zone}},
    {{include:days_of_span}},
    (
        SELECT groupArray((rule, toUnixTimestamp64Milli(anchored_begin), toUnixTimestamp64Milli(anchored_end)))
        FROM ({{include:compared_rules_in_force}})
        WHERE rule_lookback != 'from_first_meeting'
    ) AS rules,
{{include:settled_by_every_rule}},
    pieces AS
    (
        {{include:settled_pieces_by_rule}}
    )
{{include:compared_columns}}
FROM ({{include:settled_contacts_by_rule}})
ORDER BY rule_id, overlap_s DESC, contact
COMMENT 'Tracers. What rule_comparison answers, as of the last settlement and sooner: one case under every rule side by side, but those about contacts of contacts, which settled_chain answers. Parameters: person_token (32 hex digits), anchor (instant: onset or sampling), since, until (instants, UTC; until: isolation), dwell (best or default; best unless given). Columns: those of rule_comparison without via'
