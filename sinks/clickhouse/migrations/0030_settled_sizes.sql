-- How many people settled answers would name, before they are asked for: of a random share of all people, counted as the answer
-- counts them (docs/decisions/0014-size-before-action.md). Settled stays lie by person as well, so that a share is read alone.

CREATE OR REPLACE VIEW settled_chain_estimate AS
WITH
    {{include:settled_asked}},
    {{include:city_zone}},
    {{include:days_of_span}},
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    toFixedString(unhex({person_token:String}), 16) AS index_token,
{{include:settled_first_degree}},
    {{include:settled_second_cases}},
{{include:settled_cases}},
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
COMMENT 'Tracers. How many people settled_chain would name, degree 1 and 2 together; names nobody. Degree 1 is counted, degree 2 counted among a random share of all people. Parameters: those of settled_chain, and share (0 to 1: of all people, how many to look at; a small city''s everybody, else some 400,000 stays, unless given). Columns: people (number: how many it would name), at_least and at_most (number: two standard deviations to either side; 19 chances in 20), share (0 to 1: of all people, how many were looked at; 1: the number is exact), next_share (0 to 1: ask again with this share, for at_least and at_most are further than 5 % from people; null: they are not), first_degree_people (number: in degree 1, exact)';

CREATE OR REPLACE VIEW settled_overlap_chain_estimate AS
WITH
    {since:DateTime64(3, 'UTC')} AS span_begin,
    {until:DateTime64(3, 'UTC')} AS span_end,
    toFixedString(unhex({person_token:String}), 16) AS index_token,
{{include:settled_first_overlaps}},
    {{include:settled_second_cases}},
{{include:settled_unions}},
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
        FROM settled_stays FINAL
        WHERE part > 0 AND person_token < sample_end
            AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
            AND scanned_at < {until:DateTime64(3, 'UTC')}
    ) AS t
    {{include:settled_first_stretch}}
        AND t.person_token NOT IN (SELECT arrayJoin(first_degree).1)
)
COMMENT 'Tracers. How many people settled_overlap_chain would name, degree 1 and 2 together; names nobody. Degree 1 is counted, degree 2 counted among a random share of all people. Parameters: those of settled_overlap_chain, and share (0 to 1: of all people, how many to look at; a small city''s everybody, else some 400,000 stays, unless given). Columns: people (number: how many it would name), at_least and at_most (number: two standard deviations to either side; 19 chances in 20), share (0 to 1: of all people, how many were looked at; 1: the number is exact), next_share (0 to 1: ask again with this share, for at_least and at_most are further than 5 % from people; null: they are not), first_degree_people (number: in degree 1, exact)';

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
COMMENT 'Tracers. How many people settled_exposed_in_windows would name, each once; names nobody. Counted among a random share of all people, in a single window among everybody. Parameters: window_id (all windows unless given), share (0 to 1: of all people, how many to look at; a small city''s everybody, else some 400,000 stays, unless given). Columns: people (number: how many it would name), at_least and at_most (number: two standard deviations to either side; 19 chances in 20), share (0 to 1: of all people, how many were looked at; 1: the number is exact), next_share (0 to 1: ask again with this share, for at_least and at_most are further than 5 % from people; null: they are not)';

CREATE OR REPLACE VIEW settled_exposed_under_rule_estimate AS
WITH
    {{include:asked}},
    {{include:city_zone}},
    {{include:settled_windows}},
    {{include:days_of_windows}},
    {{include:near_windows_with_reach}},
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
COMMENT 'Tracers. How many people settled_exposed_under_rule would name, each once; names nobody. Counted among a random share of all people, in a single window among everybody. Parameters: rule_id (any_overlap unless given), dwell (best or default; best unless given), window_id (all windows unless given), share (0 to 1: of all people, how many to look at; a small city''s everybody, else some 400,000 stays, unless given). Columns: people (number: how many it would name), at_least and at_most (number: two standard deviations to either side; 19 chances in 20), share (0 to 1: of all people, how many were looked at; 1: the number is exact), next_share (0 to 1: ask again with this share, for at_least and at_most are further than 5 % from people; null: they are not)';
