"""The pydantic model and the decoder derived from it accept and reject the same documents."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import Record
from schemas.errors import RejectError
from schemas.export import RECORDS
from schemas.fast import FastDecoder, encode, encode_batch
from tests.support.documents import documents, spoilt, to_bytes

EACH_RECORD = pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)


def as_plain(value: Any) -> Any:
    """A model's or a Struct's fields as plain values."""
    if isinstance(value, pydantic.BaseModel):
        return {name: as_plain(getattr(value, name)) for name in type(value).model_fields}
    if hasattr(value, "__struct_fields__"):
        return {name: as_plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return tuple(as_plain(item) for item in value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def by_model(model: type[Record], raw: bytes) -> Any:
    try:
        return as_plain(model.model_validate_json(raw))
    except pydantic.ValidationError:
        return None


def by_decoder(model: type[Record], raw: bytes) -> Any:
    try:
        return as_plain(FastDecoder(model).decode(raw))
    except RejectError:
        return None


def is_documented_exception(raw: bytes) -> bool:
    """Names twice in an object, NaN, deep nesting, or very long numbers: see `schemas.fast`."""
    found = []

    def pairs(items: list[tuple[str, Any]]) -> None:
        found.extend(["twice"] if len({name for name, _ in items}) < len(items) else [])

    try:
        json.loads(raw, object_pairs_hook=pairs, parse_constant=found.append)
    except (ValueError, RecursionError):
        return False
    return bool(found) or max(raw.count(b"["), raw.count(b"{")) > 195


@EACH_RECORD
@given(data=st.data())
@settings(max_examples=20)
def test_a_document_made_from_the_model_is_read_by_both_to_the_same_values(
    model: type[Record], data: st.DataObject
) -> None:
    raw = to_bytes(data.draw(documents(model)))
    read = by_model(model, raw)
    assert read is not None
    assert by_decoder(model, raw) == read


@EACH_RECORD
@given(data=st.data())
@settings(max_examples=80)
def test_model_and_decoder_accept_the_same_documents_and_read_the_same_out_of_them(
    model: type[Record], data: st.DataObject
) -> None:
    raw = data.draw(spoilt(model))
    if not is_documented_exception(raw):
        assert by_decoder(model, raw) == by_model(model, raw)


@EACH_RECORD
@given(data=st.data())
@settings(max_examples=15)
def test_a_record_survives_the_way_from_model_to_struct_and_back(model: type[Record], data: st.DataObject) -> None:
    record = model.model_validate_json(to_bytes(data.draw(documents(model))))
    struct = FastDecoder(model).decode(record.to_json())
    assert as_plain(struct) == as_plain(record)
    assert model.model_validate_json(encode(struct)) == record


@given(data=st.data())
@settings(max_examples=15)
def test_a_batch_of_records_is_encoded_as_each_of_them_is(data: st.DataObject) -> None:
    model = data.draw(st.sampled_from(RECORDS))
    decoder: FastDecoder[Any] = FastDecoder(model)
    records = [decoder.decode(to_bytes(item)) for item in data.draw(st.lists(documents(model), max_size=4))]
    values = encode_batch(records)
    assert values == [encode(record) for record in records]
    assert decoder.decode_batch(values) == records


@given(data=st.data())
@settings(max_examples=80)
def test_a_batch_is_decoded_as_each_of_its_values_is_or_not_at_all(data: st.DataObject) -> None:
    model = data.draw(st.sampled_from(RECORDS))
    decoder: FastDecoder[Any] = FastDecoder(model)
    good = documents(model).map(to_bytes)
    values = data.draw(st.lists(st.one_of(good, good, spoilt(model), st.just(b""), st.none()), max_size=4))
    batch = decoder.decode_batch(values)
    if batch is not None:
        assert batch == [decoder.decode(value) for value in values]


@given(data=st.data())
@settings(max_examples=80)
def test_values_whose_borders_were_moved_are_never_taken_for_other_records(data: st.DataObject) -> None:
    """As many values, cut at other places: whatever combines, the batch equals the values one by one, or is refused."""
    decoder: FastDecoder[Any] = FastDecoder(RECORDS[0])
    whole = data.draw(st.sampled_from([b"", b" ", b"\n", b"\r", b"\t", b","])).join(
        to_bytes(item) for item in data.draw(st.lists(documents(RECORDS[0]), min_size=1, max_size=4))
    )
    borders = sorted([*data.draw(st.lists(st.integers(0, len(whole)), max_size=4)), whole.find(b"}{") + 1])
    values = [whole[start:end] for start, end in zip([0, *borders], [*borders, len(whole)], strict=True)]
    batch = decoder.decode_batch(values)
    if batch is not None:
        assert batch == [decoder.decode(value) for value in values]
