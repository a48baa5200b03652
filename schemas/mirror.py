"""The Struct that mirrors a record model: derived from it field by field, never written beside it.

Two checks would cost more than all the rest of the decoding if each value had its own call: whether a text matches its
pattern, and whether a time can be told in UTC. They are left out of the Struct and made by `schemas.checks`, over the
column of a whole batch; `schemas.fast.FastDecoder` makes both. So do not decode into a Struct in any other way.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

import annotated_types
import msgspec
from pydantic import BaseModel, PlainValidator, StringConstraints
from pydantic.fields import FieldInfo

from schemas.base import Record, parse_timestamp
from schemas.checks import Check, InstantCheck, TextCheck, can_be_joined

R = TypeVar("R", bound=Record)


@cache
def struct_of(model: type[R], *, times_as_text: bool = False) -> type[R]:
    """The Struct that mirrors a record model.

    With `times_as_text` a time is any text, as it stood on the topic: whoever decodes so reads the times himself.

    The return type is the model's, which is a lie to the type checker and the truth about attributes: an instance has
    the model's fields under the model's names, and is built with the same keywords; it has no pydantic methods.

    Raises:
        TypeError: the model uses a constraint that has no counterpart; silently dropping it would accept more.
    """
    validators = model.__pydantic_decorators__
    if validators.field_validators or validators.model_validators or validators.validators:
        raise TypeError(f"{model.__name__} has a validator written as a function, which has no counterpart")
    fields: list[Any] = []
    for name, info in model.model_fields.items():
        if info.validation_alias is not None:
            raise TypeError(f"{model.__name__}.{name} is read under another name, which has no counterpart")
        pattern = _joinable_pattern(info)
        if times_as_text and info.annotation is datetime:
            annotation: Any = str
        else:
            annotation = _converted(info.annotation, info.metadata, without_pattern=pattern is not None)
        if info.is_required():
            fields.append((name, annotation))
        else:
            fields.append((name, annotation, info.get_default(call_default_factory=True)))
    struct = msgspec.defstruct(
        model.__name__,
        fields,
        kw_only=True,
        frozen=True,
        gc=False,
        module=model.__module__,
        namespace={"__repr__": _repr, "__rich_repr__": _shown},
    )
    return cast("type[R]", struct)


@cache
def checks_of(model: type[Record], *, times_as_text: bool = False) -> tuple[Check, ...]:
    """What is to be checked of a decoded `struct_of(model)`, in the order of the fields."""
    checks: list[Check] = []
    for name, info in model.model_fields.items():
        pattern = _joinable_pattern(info)
        if pattern is not None:
            checks.append(TextCheck(name, pattern))
        elif info.annotation is datetime:
            if not times_as_text:
                checks.append(InstantCheck(name))
        elif datetime in _members(info.annotation):
            checks.append(InstantCheck(name, nullable=True))
    return tuple(checks)


def _members(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a union, bare."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return ()
    return tuple(get_args(member)[0] if get_origin(member) is Annotated else member for member in get_args(annotation))


def _joinable_pattern(info: FieldInfo) -> str | None:
    """The pattern of a text field, where a whole column can be matched at once."""
    if info.annotation is not str:
        return None
    meta = _meta(info.metadata)
    pattern = meta.pattern if meta is not None else None
    return pattern if pattern is not None and can_be_joined(pattern) else None


def _shown(record: msgspec.Struct) -> Any:
    """Fields without the person token: a record may end up in a log, a traceback or on a terminal."""
    return ((name, getattr(record, name)) for name in record.__struct_fields__ if name != "person_token")


def _repr(record: msgspec.Struct) -> str:
    return f"{type(record).__name__}({', '.join(f'{name}={value!r}' for name, value in _shown(record))})"


def _converted(annotation: Any, metadata: Sequence[Any] = (), *, without_pattern: bool = False) -> Any:
    """A pydantic annotation as msgspec understands it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _converted(inner, [*more, *metadata])
    if annotation is datetime:
        if not any(isinstance(entry, PlainValidator) and entry.func is parse_timestamp for entry in metadata):
            raise TypeError("a time in a record is a schemas.base.Timestamp")
        return Annotated[datetime, msgspec.Meta(tz=True)]
    meta = _meta(metadata, without_pattern=without_pattern)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if checks_of(cast("type[Record]", annotation)):
            raise TypeError(f"{annotation.__name__} has times or patterns: checked only in records that are not nested")
        result: Any = struct_of(cast("type[Record]", annotation))
    elif origin in (Union, types.UnionType):
        result = Union[tuple(_converted(member) for member in get_args(annotation))]  # noqa: UP007 - built at run time
    elif origin is tuple:
        item, ellipsis = get_args(annotation)
        if ellipsis is not Ellipsis:
            raise TypeError(f"only homogeneous tuples are supported, not {annotation}")
        result = tuple[_converted(item), ...]  # type: ignore[misc]
    else:
        result = annotation
    return Annotated[result, meta] if meta is not None else result


def _meta(metadata: Sequence[Any], *, without_pattern: bool = False) -> msgspec.Meta | None:
    limits: dict[str, Any] = {}
    for entry in metadata:
        if isinstance(entry, StringConstraints):
            limits |= {"min_length": entry.min_length, "max_length": entry.max_length, "pattern": entry.pattern}
            if entry.strip_whitespace or entry.to_upper or entry.to_lower or entry.ascii_only:
                raise TypeError(f"a record's text is never rewritten on reading, and may be in any script: {entry}")
        elif isinstance(entry, annotated_types.Ge):
            limits["ge"] = entry.ge
        elif isinstance(entry, annotated_types.Le):
            limits["le"] = entry.le
        elif isinstance(entry, annotated_types.MinLen):
            limits["min_length"] = entry.min_length
        elif isinstance(entry, annotated_types.MaxLen):
            limits["max_length"] = entry.max_length
        elif isinstance(entry, FieldInfo):
            nested = _meta(entry.metadata)
            if nested is not None:
                limits |= {name: getattr(nested, name) for name in ("ge", "le", "min_length", "max_length", "pattern")}
        else:
            raise TypeError(f"no counterpart for the constraint {entry!r}")
    if without_pattern:
        limits.pop("pattern", None)
    limits = {name: value for name, value in limits.items() if value is not None}
    return msgspec.Meta(**limits) if limits else None
