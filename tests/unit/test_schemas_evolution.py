"""What counts as a compatible change of a record, on pairs made by hand, judged both ways."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, StringConstraints

from schemas.base import Record, Timestamp
from schemas.evolution import incompatibilities
from schemas.export import RECORDS, current_schemas, drift, exported_schemas, released_schemas, schema_of, to_text

Schema = dict[str, Any]


def record(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 64}
NULL: Schema = {"type": "null"}

WIDENINGS = {
    "a new optional field": (record(), record(a=TEXT)),
    "a required field becomes optional": (record(("a",), a=TEXT), record(a=TEXT)),
    "a longer text": (record(a=TEXT), record(a={**TEXT, "maxLength": 65})),
    "a shorter text": (record(a=TEXT), record(a={**TEXT, "minLength": 0})),
    "no limit on the length": (record(a=TEXT), record(a={"type": "string"})),
    "no pattern": (record(a={**TEXT, "pattern": "^x$"}), record(a=TEXT)),
    "any time becomes any text": (record(a={"type": "string", "format": "date-time"}), record(a={"type": "string"})),
    "a wider bound below": (record(a={"type": "integer", "minimum": 0}), record(a={"type": "integer", "minimum": -1})),
    "a wider bound above": (record(a={"type": "integer", "maximum": 9}), record(a={"type": "integer", "maximum": 10})),
    "whole numbers become numbers": (record(a={"type": "integer"}), record(a={"type": "number"})),
    "a further member of an enumeration": (
        record(a={"type": "string", "enum": ["x"]}),
        record(a={"type": "string", "enum": ["x", "y"]}),
    ),
    "a constant becomes an enumeration": (
        record(a={"type": "string", "const": "x"}),
        record(a={"type": "string", "enum": ["x", "y"]}),
    ),
    "null is taken as well": (record(a=TEXT), record(a={"anyOf": [TEXT, NULL]})),
    "a longer list": (
        record(a={"type": "array", "items": TEXT, "maxItems": 2}),
        record(a={"type": "array", "items": TEXT, "maxItems": 3}),
    ),
    "wider items": (
        record(a={"type": "array", "items": TEXT}),
        record(a={"type": "array", "items": {"type": "string"}}),
    ),
    "a field in a nested record becomes optional": (
        record(a={"$ref": "#/$defs/T"}) | {"$defs": {"T": record(("b",), b=TEXT)}},
        record(a={"$ref": "#/$defs/U"}) | {"$defs": {"U": record(b=TEXT)}},
    ),
}


@pytest.mark.parametrize("name", WIDENINGS)
def test_widening_is_compatible_and_the_way_back_is_not(name: str) -> None:
    narrow, wide = WIDENINGS[name]
    assert incompatibilities(narrow, wide) == []
    problems = incompatibilities(wide, narrow)
    assert problems
    assert all(problem.startswith("a") for problem in problems)


BREAKS = {
    "a new required field": (record(), record(("a",), a=TEXT), "a: is new, and is now required"),
    "a removed field": (record(a=TEXT), record(), "a: removed"),
    "an optional field becomes required": (
        record(a=TEXT),
        record(("a",), a=TEXT),
        "a: was optional, and is now required",
    ),
    "another type": (record(a=TEXT), record(a={"type": "integer"}), "a: was string, is integer"),
    "another pattern": (
        record(a={**TEXT, "pattern": "^x$"}),
        record(a={**TEXT, "pattern": "^xx?$"}),
        "a: pattern was ^x$, is ^xx?$, which may take less",
    ),
    "another meaning of leaving it out": (
        record(a={**TEXT, "default": "x"}),
        record(a={**TEXT, "default": "y"}),
        "a: what it means to leave it out has changed",
    ),
    "a member is renamed": (
        record(a={"type": "string", "enum": ["x", "y"]}),
        record(a={"type": "string", "enum": ["x", "z"]}),
        "a: no longer takes 'y'",
    ),
    "a field of an item of a list is removed": (
        record(a={"type": "array", "items": record(b=TEXT)}),
        record(a={"type": "array", "items": record()}),
        "a[].b: removed",
    ),
    "unknown fields are refused": (
        record(),
        record() | {"additionalProperties": False},
        "the record: additionalProperties was none, is False, which may take less",
    ),
    "null is no longer taken": (
        record(a={"anyOf": [TEXT, NULL]}),
        record(a={"anyOf": [TEXT]}),
        "a: was null, is string",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_change_that_breaks_a_reader_is_told_by_field(name: str) -> None:
    old, new, problem = BREAKS[name]
    assert incompatibilities(old, new) == [problem]


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_every_record_is_compatible_with_itself_and_titles_mean_nothing(model: type[Record]) -> None:
    schema = schema_of(model)
    assert incompatibilities(schema, schema) == []
    assert incompatibilities(schema, {**schema, "title": "Other", "description": "Other"}) == []


def test_what_pydantic_writes_for_a_narrowed_record_is_seen() -> None:
    class Before(Record):
        kind: Literal["a", "b"]
        at: Timestamp
        share: Annotated[float, Field(ge=0, le=1)] | None = None
        codes: Annotated[tuple[str, ...], Field(max_length=3)] = ()

    class After(Record):
        kind: Literal["a"]
        at: Timestamp | None
        share: Annotated[float, Field(ge=0, le=0.5)] | None = None
        codes: Annotated[tuple[Annotated[str, StringConstraints(max_length=4)], ...], Field(max_length=3)] = ()

    assert incompatibilities(schema_of(Before), schema_of(After)) == [
        "kind: no longer takes 'b'",
        "share: maximum was 1, is 0.5",
        "codes[]: maxLength was none, is 4",
    ]


def test_the_exported_schemas_are_those_of_the_records() -> None:
    assert drift(exported_schemas(), current_schemas()) == [], "run: venuecode schema export"


def test_drift_names_what_is_missing_left_over_or_different() -> None:
    current: dict[str, Schema] = {"a.json": {"type": "object"}, "b.json": {}, "c.json": {}}
    exported = {"b.json": to_text({}), "c.json": to_text({"type": "object"}), "d.json": "{}"}
    assert drift(exported, current) == [
        "a.json: not exported",
        "d.json: no such record any more",
        "c.json: differs from the model",
    ]


def test_the_records_are_compatible_with_every_release() -> None:
    released = released_schemas()
    assert released, "there is a first release to keep to"
    current = current_schemas()
    for version, schemas in released.items():
        for name, old in schemas.items():
            assert name in current, f"{name} was released in {version}"
            assert incompatibilities(old, current[name]) == [], f"{name} breaks {version}"


def test_no_exported_pattern_uses_what_only_python_knows() -> None:
    assert not [name for name, text in exported_schemas().items() if "\\Z" in text or "(?P" in text]
