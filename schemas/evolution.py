"""Whether a record may change as it did: every document that the old schema took, the new one takes, field by field.

Widening is compatible in this sense (an optional field, a further member of an enumeration, a wider bound); readers
must then be deployed before writers, as an older reader rejects what it does not know. An incompatible change needs a
new topic (`.v2`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_JUDGED = frozenset(
    (*_LOWER, *_UPPER, "type", "enum", "const", "anyOf", "$ref", "properties", "required", "items", "default")
)
_MEANS_NOTHING = frozenset(("$schema", "$id", "$defs", "title", "description", "examples"))


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """What of the old schema's promise the new one breaks, one sentence each, beginning with the path of the field.

    Args:
        old, new: JSON Schemas of one record, as pydantic writes them.

    Returns:
        Empty when the change is backward compatible.
    """
    return list(_compare(_Node(old, old), _Node(new, new), ""))


class _Node:
    """A schema within its document, so that references can be followed."""

    def __init__(self, schema: Schema, document: Schema) -> None:
        while "$ref" in schema:
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**document["$defs"][schema["$ref"].removeprefix("#/$defs/")], **beside}
        self.schema = schema
        self.document = document

    def child(self, schema: Schema) -> _Node:
        return _Node(schema, self.document)

    @property
    def alternatives(self) -> list[_Node]:
        return [self.child(schema) for schema in self.schema["anyOf"]] if "anyOf" in self.schema else [self]

    @property
    def allowed(self) -> list[Any] | None:
        """The members of an enumeration, or None where there is none."""
        if "const" in self.schema:
            return [self.schema["const"]]
        members: list[Any] | None = self.schema.get("enum")
        return members


def _compare(old: _Node, new: _Node, path: str) -> Iterator[str]:
    where = path or "the record"
    if "default" in old.schema and "default" in new.schema and old.schema["default"] != new.schema["default"]:
        yield f"{where}: what it means to leave it out has changed"
    for before in old.alternatives:
        found = [list(_compare_one(before, after, path)) for after in new.alternatives]
        if all(found):
            yield from min(found, key=len)


def _compare_one(old: _Node, new: _Node, path: str) -> Iterator[str]:
    where = path or "the record"
    before, after = old.schema.get("type"), new.schema.get("type")
    if after is not None and before != after and (before, after) != ("integer", "number"):
        yield f"{where}: was {before or 'anything'}, is {after}"
        return
    yield from _narrowed_enumeration(old, new, where)
    yield from _narrowed_limits(old.schema, new.schema, where)
    if "items" in new.schema:
        yield from _compare(old.child(old.schema.get("items", {})), new.child(new.schema["items"]), f"{path}[]")
    yield from _compare_fields(old, new, path)


def _narrowed_enumeration(old: _Node, new: _Node, where: str) -> Iterator[str]:
    if new.allowed is None:
        return
    if old.allowed is None:
        yield f"{where}: took any value, takes only {new.allowed}"
        return
    for member in old.allowed:
        if member not in new.allowed:
            yield f"{where}: no longer takes {member!r}"


def _narrowed_limits(old: Schema, new: Schema, where: str) -> Iterator[str]:
    for name in _LOWER:
        if name in new and (name not in old or new[name] > old[name]):
            yield f"{where}: {name} was {old.get(name, 'none')}, is {new[name]}"
    for name in _UPPER:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{where}: {name} was {old.get(name, 'none')}, is {new[name]}"
    for name in sorted(new.keys() - _JUDGED - _MEANS_NOTHING):
        if new[name] != old.get(name):
            yield f"{where}: {name} was {old.get(name, 'none')}, is {new[name]}, which may take less"


def _compare_fields(old: _Node, new: _Node, path: str) -> Iterator[str]:
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    for name, schema in before.items():
        field = f"{path}.{name}".lstrip(".")
        if name not in after:
            yield f"{field}: removed"
        else:
            yield from _compare(old.child(schema), new.child(after[name]), field)
    for name in new.schema.get("required", ()):
        if name not in old.schema.get("required", ()):
            was = "was optional" if name in before else "is new"
            yield f"{f'{path}.{name}'.lstrip('.')}: {was}, and is now required"
