-- Merges of more parts at once, so that rows are merged once while many come, and again when fewer do: a merge costs the
-- same a row whether it takes two parts or eight (docs/decisions/0010-sink.md).

ALTER TABLE visits MODIFY SETTING merge_selector_base = 20;

ALTER TABLE visits_by_place MODIFY SETTING merge_selector_base = 20;
