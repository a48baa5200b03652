"""Hypothesis strategies: documents of a record model, valid ones and spoilt ones."""

from __future__ import annotations

import json
import types
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter

from schemas.base import Record

_RAW = "@raw@"
"""A text that starts so is written into the document as it is, without quotes."""

_OFFSETS = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-11, minutes=-30))])
_TIMES = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=_OFFSETS).map(  # noqa: DTZ001
    lambda value: value.isoformat()
)
ODD_TIMES = (
    "2026-01-01T00:00:00z",
    "2026-01-01 00:00:00Z",
    "2026-01-01t00:00:00+08:00",
    "2026-01-01T24:00:00Z",
    "2016-12-31T23:59:60Z",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+23:59",
    "2026-01-01T00:00:00-00:00",
    "2026-01-01T00:00:00+0800",
    "2026-01-01T00:00:00.123456789Z",
    "2026-01-01T00:00:00.9999999Z",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59-01:00",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+00:01",
    "0001-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2024-02-29T00:00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00Z",
    "2026-01-01",
    "1767225600",
)
_ODD_TOKENS = (
    *("1.0", "1e3", "1E0", "-0", "-0.0", "0.5", "01", "+1", ".5", "5.", "1e400", "-1e400", "1e-400"),
    *("9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 400),
    *("NaN", "Infinity", "-Infinity", "true", "false", "null", "nul", "{}", "[]", "[[]]", "[null]", '{"a":1,"a":"b"}'),
    *(
        '"\\ud800"',
        '"\\ud83d\\ude00"',
        '"\\udc00\\ud800"',
        '"\\u0000"',
        '"\x01"',
        '"\\x"',
        '"}{"',
        '"missing required field"',
    ),
    *("90.0000000000000001", "-90.00001", "180.1", "[" * 100 + "]" * 100),
)
_ODD_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(_ODD_TOKENS).map(lambda token: _RAW + token),
    st.sampled_from(ODD_TIMES),
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=3),
    st.sampled_from([0, 64, 65, 200, 201, 1000, 1001]).map(lambda length: "名" * length),
    st.sampled_from(
        ["0" * 32, "0" * 32 + "\n", "A" * 32, "０" * 32, "0" * 31, "140100", "140100\n", "14010", "140100001"]
    ),
    st.lists(st.text(max_size=2), max_size=17),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


def values(annotation: Any, metadata: tuple[Any, ...] | list[Any] = ()) -> st.SearchStrategy[Any]:
    """JSON values that a field of this annotation takes, by the JSON Schema of the annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return documents(annotation)
    if annotation is datetime:
        return _TIMES
    if get_origin(annotation) in (Union, types.UnionType):
        return st.one_of([values(member) for member in get_args(annotation)])
    if annotation is type(None):
        return st.none()
    if hasattr(annotation, "__metadata__"):
        inner, *more = get_args(annotation)
        return values(inner, [*more, *metadata])
    origin = get_origin(annotation)
    if origin is Literal:
        return st.sampled_from(get_args(annotation))
    constrained = Annotated[(annotation, *metadata)] if metadata else annotation
    schema: dict[str, Any] = TypeAdapter(
        cast(Any, constrained), config=ConfigDict(regex_engine="python-re")
    ).json_schema()
    if origin is tuple:
        size = {"min_size": schema.get("minItems", 0), "max_size": min(schema.get("maxItems", 3), 3)}
        return st.lists(values(get_args(annotation)[0]), **size)
    if annotation is str:
        if "pattern" in schema:
            return st.from_regex(schema["pattern"], fullmatch=True)
        return st.text(min_size=schema.get("minLength", 0), max_size=min(schema["maxLength"], 8))
    if annotation is int:
        return st.integers(schema["minimum"], schema["maximum"])
    if annotation is float:
        return st.floats(schema["minimum"], schema["maximum"])
    raise TypeError(f"no strategy for {annotation}")


@cache
def documents(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Documents (as dicts) that the model accepts; optional fields are there or not."""
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, info in model.model_fields.items():
        (required if info.is_required() else optional)[name] = values(info.annotation, info.metadata)
    return st.fixed_dictionaries(required, optional=optional)


def to_bytes(document: object) -> bytes:
    """The document as JSON; odd tokens as they are."""
    parts = json.dumps(document, ensure_ascii=False, separators=(",", ":")).split(f'"{_RAW}')
    text = parts[0]
    for part in parts[1:]:
        # The token was escaped as a text is; it ends at the first quote that is not.
        token, rest = json.JSONDecoder().raw_decode('"' + part)
        text += token + ('"' + part)[rest:]
    return text.encode("utf-8", "surrogatepass")


@st.composite
def spoilt(draw: st.DrawFn, model: type[Record]) -> bytes:
    """A valid document after one to three changes to its fields, and at times to its bytes."""
    document: dict[str, Any] = draw(documents(model))
    for _ in range(draw(st.integers(0, 3))):
        nested: list[dict[str, Any]] = [value for value in document.values() if isinstance(value, dict)]
        target = draw(st.sampled_from([document, *nested]))
        name = draw(st.sampled_from(sorted(target) or ["x"]))
        change = draw(st.sampled_from(["drop", "replace", "replace", "replace", "extend"]))
        if change == "drop":
            target.pop(name, None)
        elif change == "replace":
            target[name] = draw(_ODD_VALUES)
        else:
            target[draw(st.text(max_size=3))] = draw(_ODD_VALUES)
    raw = to_bytes(document)
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(raw)))
        cut = draw(st.integers(0, 3))
        raw = raw[:at] + draw(st.one_of(st.binary(max_size=3), st.sampled_from(_BORDER_BYTES))) + raw[at + cut :]
    return raw


_BORDER_BYTES = (
    b"\n",
    b"\r",
    b"}{",
    b"} {",
    b"},{",
    b"}",
    b"{",
    b"]",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\\",
    b'"',
    b",",
    b"\xff",
    b" ",
)
