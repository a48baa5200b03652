"""The decoder of the hot paths, derived from the pydantic models and never written beside them.

A `msgspec.Struct` is made field by field from a model: same names, types, bounds, patterns and defaults. It decodes
several times faster than the model validates, and accepts and rejects the same documents (property-tested). A document
is JSON as RFC 8259 has it, names unique within an object, nested at most 200 levels: pydantic's reader also takes `NaN`
and looks only at the last of two equal names, this one rejects the first and looks at both; they stop at different
depths of nesting. No record of ours comes near either.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Generic, TypeVar, Union, cast, get_args, get_origin

import annotated_types
import msgspec
from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from schemas.base import Record
from schemas.dead_letter import Reason
from schemas.errors import RejectError
from schemas.topics import MAX_RECORD_BYTES

R = TypeVar("R", bound=Record)


@cache
def struct_of(model: type[R]) -> type[R]:
    """The Struct that mirrors a record model.

    The return type is the model's, which is a lie to the type checker and the truth about attributes: an instance has
    the model's fields under the model's names, and is built with the same keywords; it has no pydantic methods.

    Raises:
        TypeError: the model uses a constraint that has no counterpart; silently dropping it would accept more.
    """
    fields: list[Any] = []
    for name, info in model.model_fields.items():
        annotation = _field_type(info)
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
        namespace={"__repr__": _repr},
    )
    return cast("type[R]", struct)


def _repr(record: msgspec.Struct) -> str:
    """Without the person token: a record may end up in a log or a traceback."""
    shown = (f"{name}={getattr(record, name)!r}" for name in record.__struct_fields__ if name != "person_token")
    return f"{type(record).__name__}({', '.join(shown)})"


def _field_type(info: FieldInfo) -> Any:
    return _converted(info.annotation, info.metadata)


def _converted(annotation: Any, metadata: Sequence[Any] = ()) -> Any:
    """A pydantic annotation as msgspec understands it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _converted(inner, [*more, *metadata])
    if annotation is datetime:
        return Annotated[datetime, msgspec.Meta(tz=True)]
    meta = _meta(metadata)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
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


def _meta(metadata: Sequence[Any]) -> msgspec.Meta | None:
    limits: dict[str, Any] = {}
    for entry in metadata:
        if isinstance(entry, StringConstraints):
            limits |= {
                "min_length": entry.min_length,
                "max_length": entry.max_length,
                "pattern": entry.pattern,
            }
            if entry.strip_whitespace or entry.to_upper or entry.to_lower:
                raise TypeError(f"a record's text is never rewritten on reading: {entry}")
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
        elif pattern := getattr(entry, "pattern", None):
            limits["pattern"] = pattern
        else:
            raise TypeError(f"no counterpart for the constraint {entry!r}")
    limits = {name: value for name, value in limits.items() if value is not None}
    return msgspec.Meta(**limits) if limits else None


class FastDecoder(Generic[R]):
    """Decodes one record, or a whole batch in one go.

    Args:
        model: the pydantic model whose mirror is decoded into.
    """

    __slots__ = ("_decoder", "model")

    def __init__(self, model: type[R]) -> None:
        self.model = model
        self._decoder: msgspec.json.Decoder[R] = msgspec.json.Decoder(struct_of(model))

    def decode(self, value: bytes | None) -> R:
        """One record.

        Raises:
            RejectError: with the reason; the text names the field, never a value out of the record.
        """
        if value is None:
            raise RejectError("null_value")
        if len(value) > MAX_RECORD_BYTES:
            raise RejectError("too_large", f"{len(value)} bytes, at most {MAX_RECORD_BYTES}")
        try:
            # Through str: a field that is skipped is not checked for valid UTF-8 otherwise.
            return self._decoder.decode(value.decode())
        except UnicodeDecodeError as error:
            raise RejectError("bad_utf8", f"byte {error.start}") from None
        except msgspec.ValidationError as error:
            raise RejectError(_reason(str(error)), _place(str(error))) from None
        except msgspec.DecodeError:
            raise RejectError("not_json") from None
        except RecursionError:
            raise RejectError("too_deep") from None

    def decode_batch(self, values: Sequence[bytes | None]) -> list[R] | None:
        """All records of a batch, in order, or None when any of them may be bad: then decode one by one.

        One record a line. As no line holds two documents (the decoder rejects trailing characters) and no value holds a
        line break (counted), as many results as values means that each value gave exactly one result: values cannot
        combine (`{"a":1` and `}`) into something that none of them is.
        """
        try:
            joined = b"\n".join(cast("Sequence[bytes]", values))
            if joined.count(b"\n") != len(values) - 1 or max(map(len, values), default=0) > MAX_RECORD_BYTES:  # type: ignore[arg-type]
                return None
            records: list[R] = self._decoder.decode_lines(joined.decode())
        except (TypeError, UnicodeDecodeError, msgspec.DecodeError, RecursionError):
            return None
        return records if len(records) == len(values) else None


_REASONS: tuple[tuple[str, Reason], ...] = (
    ("missing required field", "missing_field"),
    ("Expected `", "wrong_type"),
    ("Invalid enum value", "unknown_value"),
)


def _reason(message: str) -> Reason:
    """Which dead-letter reason a validation message means."""
    for part, reason in _REASONS:
        if part in message and " of length " not in message and ">=" not in message and "<=" not in message:
            return reason
    return "out_of_range" if ("Expected `" in message or "out of range" in message) else "unknown_value"


def _place(message: str) -> str:
    """The path of the field, without any value."""
    field = message.rpartition("`$")[2].rstrip("`") if "`$" in message else ""
    if "missing required field" in message:
        return f"{field}.{message.split('field `')[1].split('`')[0]}".lstrip(".")
    return field.lstrip(".")


def encode(record: Record) -> bytes:
    """A Struct made by `struct_of` as it goes on a topic."""
    return _ENCODER.encode(record)


def encode_batch(records: Sequence[Record]) -> list[bytes]:
    """As `encode`, for a batch: one value per record, in order."""
    if not records:
        return []
    return _ENCODER.encode_lines(records)[:-1].split(b"\n")


_ENCODER: msgspec.json.Encoder = msgspec.json.Encoder()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z, rounded down."""
    delta = instant - _EPOCH
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000
