"""Records as `schemas.fast.encode` writes them, byte for byte, told by a regular expression.

Derived from the record model field by field, as its Struct is (`schemas.mirror`), never written beside it. A text that
matches is a valid record whose parts can be copied into another document as they are, without decoding it; one that
does not match may be valid as well, only written in another way: decode it.

What a pattern does not judge is said in `TIME`.
"""

from __future__ import annotations

import re
import types
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from schemas.base import Record

TIME: Final = (
    "(?:19[7-9][0-9]|20[0-9]{2})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{3}(?:[0-9]{3})?)?Z"
)
"""An instant of the years 1970 to 2099 in UTC, in whole seconds, milliseconds or microseconds.

Whether the month has that day is left to the reader, and so is to write a fraction as `encode` does: six digits, none
where all are zero.
"""

_PLAIN: Final = r'[^"\\\x00-\x1f\ud800-\udfff]'
"""Characters that stand for themselves in JSON; half a surrogate pair is what bytes that are no UTF-8 become."""

_ANCHORED: Final = re.compile(r"\^(.*)\\Z", re.DOTALL)


def canonical_values(model: type[Record]) -> dict[str, str]:
    """For each field of a record, in order, the pattern of its JSON value (for use with `re.ASCII`).

    Raises:
        TypeError: a field's type has no pattern here.
    """
    return {name: _value(info.annotation, info.metadata) for name, info in model.model_fields.items()}


def _value(annotation: Any, metadata: list[Any]) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _value(inner, [*more, *metadata])
    if origin in (Union, types.UnionType):
        return f"(?:{'|'.join(_value(member, []) for member in get_args(annotation))})"
    if annotation is type(None):
        return "null"
    if annotation is datetime:
        return f'"{TIME}"'
    if origin is Literal:
        return f'"(?:{"|".join(re.escape(word) for word in get_args(annotation))})"'
    if annotation is str:
        return f'"{_text(metadata)}"'
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = canonical_values(cast("type[Record]", annotation))
        return r"\{" + ",".join(f'"{name}":{pattern}' for name, pattern in fields.items()) + r"\}"
    raise TypeError(f"no pattern for {annotation}")


def _text(metadata: list[Any]) -> str:
    limits = {"min_length": 0, "max_length": None, "pattern": None}
    for entry in metadata:
        if not isinstance(entry, StringConstraints | FieldInfo):
            raise TypeError(f"no pattern for the constraint {entry!r}")
        limits |= {name: getattr(entry, name) for name in limits if getattr(entry, name, None) is not None}
    if limits["pattern"] is None:
        most = "" if limits["max_length"] is None else limits["max_length"]
        return f"{_PLAIN}{{{limits['min_length']},{most}}}+"
    anchored = _ANCHORED.fullmatch(str(limits["pattern"]))
    if anchored is None or limits["max_length"] is not None:
        raise TypeError(f"the pattern {limits['pattern']} is not anchored, or is not all that is asked")
    return f"(?:{anchored[1]})"
