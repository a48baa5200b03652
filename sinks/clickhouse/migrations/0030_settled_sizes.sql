-- How many people settled answers would name, before they are asked for: of a random share of all people, counted as the answer
-- counts them (docs/decisions/0014-size-before-action.md). Settled stays lie by person as well, so that a share is read alone.

CREATE OR REPLACE VIEW settled_chain_estimate AS
WITH
    {{include:settled_chain_cases}},
    {{include:settled_share}},
    {{include:settled_sample_together}},
    length(first_degree) AS known,
    known = 0 AS nothing_more
{{include:estimate_columns}}, toUInt64(known) AS first_degree_people
FROM
(
    {{include:settled_named}}
        AND contact_token != index_token AND contact_token NOT IN (SELECT arrayJoin(first_degree).1)
)
COMMENT 'Tracers. How many people settled_chain would name, degree 1 and 2 together; names nobody. Degree 1 is counted, degree 2 counted among a random share of all people. Parameters: those of settled_chain, and {{include:settled_share_said}}. Columns: {{include:estimate_columns_said}}, first_degree_people (number: in degree 1, exact)';

CREATE OR REPLACE VIEW settled_overlap_chain_estimate AS
WITH
    {{include:settled_overlap_chain_cases}},
    {{include:settled_share}},
    length(first_degree) AS known,
    known = 0 AS nothing_more
{{include:estimate_columns}}, toUInt64(known) AS first_degree_people
FROM
(
    SELECT uniqExact(t.person_token) AS named
    FROM
    (
        SELECT place_key, person_token, {{include:settled_times}}
        {{include:settled_sample}}
    ) AS t
    {{include:settled_first_stretch}}
        AND t.person_token NOT IN (SELECT arrayJoin(first_degree).1)
)
COMMENT 'Tracers. How many people settled_overlap_chain would name, degree 1 and 2 together; names nobody. Degree 1 is counted, degree 2 counted among a random share of all people. Parameters: those of settled_overlap_chain, and {{include:settled_share_said}}. Columns: {{include:estimate_columns_said}}, first_degree_people (number: in degree 1, exact)';

CREATE OR REPLACE VIEW settled_exposed_in_windows_estimate AS
WITH
    {{include:settled_windows}},
    {{include:near_windows}},
    {{include:settled_share_of_windows}},
    0 AS known,
    false AS nothing_more
{{include:estimate_columns}}
FROM
(
    SELECT uniqExact(t.person_token) AS named
    FROM
    (
        {{include:settled_sample_in_windows}}
    ) AS t
    INNER JOIN near AS w ON t.place_key = w.place_key AND t.slot = w.slot
    WHERE t.begin > w.begin AND t.begin < w.end
)
COMMENT 'Tracers. How many people settled_exposed_in_windows would name, each once; names nobody. Counted among a random share of all people, in a single window among everybody. Parameters: window_id (all windows unless given), {{include:settled_share_said}}. Columns: {{include:estimate_columns_said}}';

CREATE OR REPLACE VIEW settled_exposed_under_rule_estimate AS
WITH
    {{include:settled_windows_under_rule}},
    {{include:settled_share_of_windows}},
    pieces AS
    (
        SELECT
            w.window_id AS case_token, t.person_token AS contact_token, cityHash64(t.venue_id) AS place_key,
            {{include:times_in_window}}
        FROM
        (
            {{include:settled_sample_in_windows}}
        ) AS t
        {{include:stay_in_window}}
    ),
    0 AS known,
    false AS nothing_more
{{include:estimate_columns}}
FROM
(
    {{include:settled_named}}
)
COMMENT 'Tracers. How many people settled_exposed_under_rule would name, each once; names nobody. Counted among a random share of all people, in a single window among everybody. Parameters: rule_id (any_overlap unless given), dwell (best or default; best unless given), window_id (all windows unless given), {{include:settled_share_said}}. Columns: {{include:estimate_columns_said}}';
