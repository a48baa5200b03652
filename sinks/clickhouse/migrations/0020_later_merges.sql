-- Merges of up to fifteen parts at once, so that rows are merged fewer times while many come. A merge costs the same a row
-- whether it takes six parts or fifteen, and half as much again from sixteen on (docs/decisions/0010-sink.md).

ALTER TABLE visits MODIFY SETTING merge_selector_base = 15, max_parts_to_merge_at_once = 15;

ALTER TABLE visits_by_place MODIFY SETTING merge_selector_base = 15, max_parts_to_merge_at_once = 15;
