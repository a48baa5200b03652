"""Deciding plain scans as columns gives, byte for byte, what deciding every scan with care gives."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.brake import DeadLetterBrake
from schemas.categories import builtin_categories
from schemas.errors import RejectError
from schemas.fast import FastDecoder, encode, epoch_ms
from schemas.health import Colour
from schemas.scan import Scan
from schemas.topics import Topics
from schemas.visit import Visit
from streams import canonical_scans
from streams import decider as decider_module
from streams.alert_memory import AlertMemory
from streams.batch_producer import Records
from streams.batching.batch import Batch, Place, Stretch
from streams.batching.ledger import Ticket
from streams.canonical_scans import read_canonical
from streams.decide import Policy
from streams.decider import Decider
from streams.intake import Limits
from streams.metrics import WorkerMetrics
from streams.plain_scans import read_plain
from streams.scan_columns import ScanColumns
from streams.status_store import StatusStore
from streams.venue_directory import VenueDirectory
from tests.support.documents import ODD_TIMES, documents, spoilt
from tests.support.produced import Produced, produced
from tests.support.worker_scans import moment, scan, status, token, venue

HERE, THERE = Place('venue "scans" 名', 3), Place('venue "scans" 名', 1)
DAY_MS = 86_400_000
COLOURS: tuple[Colour, ...] = ("green", "green", "yellow", "red")
PEOPLE = 8
PROCESSED = moment(0.25)
WAITS = st.lists(st.sampled_from((0, 0, 1, -3600, 3600, 172_800, 172_801, 14 * 86_400)), max_size=4)
DECODER = FastDecoder(Scan)

Record = tuple[bytes | None, bytes | None]


def careful_only(_: Sequence[bytes | None], __: Sequence[bytes | None]) -> list[ScanColumns]:
    return []


def decider(retention_ms: int | None) -> Decider:
    venues = VenueDirectory(builtin_categories())
    for number, (category, state) in enumerate(
        (("restaurant", "approved"), ("no such", "closed"), ("bus", "approved"))
    ):
        venues.apply(f"V-{number}", venue(f"V-{number}", category=category, state=state))  # type: ignore[arg-type]
    statuses = StatusStore()
    for shift, place in enumerate((HERE, THERE)):
        statuses.open(place.partition)
        statuses.apply(
            place.partition,
            [
                (
                    token(person),
                    status(person, COLOURS[(person + shift) % 4], moment(-3600 * person), hours=1 + 2 * person),
                )
                for person in range(PEOPLE)
            ],
        )
    return Decider(
        topics=Topics(),
        limits=Limits(300_000, retention_ms),
        policy=Policy(b"key", 7_200_000, 600_000, 48 * 3_600_000),
        venues=venues,
        statuses=statuses,
        memory=AlertMemory(1000),
        brake=DeadLetterBrake(HERE.topic, 10**9, 0.5),
        metrics=WorkerMetrics(),
    )


def process(
    records: Sequence[Record],
    here: int,
    retention_ms: int | None,
    now: datetime = PROCESSED,
    waits_s: Sequence[int] = (),
) -> tuple[list[Produced], Records]:
    """The first records lie in one partition, so many of them; the others in another, with the same offsets.

    The n-th record reached Kafka so many seconds (`waits_s`, in turn) after the common moment.
    """
    offsets = [100 + at for at in (*range(here), *range(len(records) - here))]
    stretches = [
        Stretch(begin, end, Ticket(place, offsets[begin], offsets[end - 1]))
        for place, begin, end in ((HERE, 0, here), (THERE, here, len(records)))
        if begin < end
    ]
    batch = Batch(
        HERE.topic,
        stretches,
        [key for key, _ in records],
        [value for _, value in records],
        offsets,
        [epoch_ms(moment(wait)) for wait, _ in zip(cycle(waits_s or (0,)), records, strict=False)],
    )
    messages, visits = decider(retention_ms).process(batch, now)
    return produced(messages), visits


def time_text(at: datetime, form: int) -> str:
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{at.microsecond:06d}Z", f".{at.microsecond // 1000:03d}Z", "Z", "+00:00")[form]


@st.composite
def scans(draw: st.DrawFn) -> Record:
    """A scan as some producer writes it; its key."""
    person = token(draw(st.integers(0, PEOPLE)))
    seconds = draw(st.one_of(st.integers(-7200, 400), st.sampled_from((-15 * 86_400, -49 * 3600, 301, 300, -172_800))))
    at = moment(seconds) + timedelta(microseconds=draw(st.sampled_from((0, 422_000, 999_999, 1, 250_000))))
    document: dict[str, Any] = {
        "scan_id": f"01a2088c-0f56-7aec-b048-{draw(st.integers(0, 2**48 - 1)):012x}",
        "person_token": person,
        "venue_id": draw(st.sampled_from(("V-0", "V-1", "V-2", "V-9", "站" * 64, "\x7f", "a}{b", ","))),
        "point_id": draw(st.text(min_size=1, max_size=3)),
        "scanned_at": draw(
            st.one_of(
                st.builds(time_text, st.just(at), st.sampled_from((0, 0, 0, 1, 1, 2, 3))),
                st.sampled_from((*ODD_TIMES, "2026-02-30T08:00:00Z", "2026-03-01T08:60:00Z", "1969-12-31T23:59:59Z")),
            )
        ),
        "direction": draw(st.sampled_from(("enter", "leave"))),
        "channel": draw(st.sampled_from(("phone", "manual"))),
        "trip": draw(st.one_of(st.none(), st.just({"vehicle": "v", "run": "r", "carriage": None, "seat": "3A"}))),
        "gateway": "gateway-1",
    }
    if draw(st.integers(0, 9)) == 0:
        del document[draw(st.sampled_from(sorted(document)))]
    if draw(st.integers(0, 9)) == 0:
        document["more"] = 1
    spaced = draw(st.integers(0, 9)) == 0
    value = json.dumps(document, ensure_ascii=False, separators=(", ", ": ") if spaced else (",", ":"))
    key = draw(st.sampled_from((None, b"", token(1).encode()))) if draw(st.integers(0, 9)) == 0 else person.encode()
    return key, value.encode("utf-8", "surrogatepass")


@st.composite
def others(draw: st.DrawFn) -> Record:
    """What is mostly no scan."""
    value = draw(
        st.one_of(st.none(), st.binary(max_size=3), spoilt(Scan), st.sampled_from((b"\n", b"{}\n{}", b"\xff")))
    )
    return token(1).encode(), value


@settings(max_examples=120)
@given(
    records=st.lists(st.one_of(scans(), scans(), scans(), others()), min_size=1, max_size=12),
    share=st.integers(0, 12),
    retention_ms=st.sampled_from((None, 14 * DAY_MS)),
    waits_s=WAITS,
    few=st.sampled_from((0, 1, 40)),
)
def test_columns_and_care_put_out_the_same(
    records: list[Record], share: int, retention_ms: int | None, waits_s: list[int], few: int
) -> None:
    here = min(share, len(records))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical_scans, "FEW", few)
        found = process(records, here, retention_ms, waits_s=waits_s)
        patch.setattr(decider_module, "read_plain", careful_only)
        assert process(records, here, retention_ms, waits_s=waits_s) == found
    visits = [Visit.model_validate_json(value) for value in found[1].lines.split(b"\n")[:-1]]
    assert [visit.person_token.encode() for visit in visits] == found[1].keys
    assert [visit.source_partition for visit in visits] == [
        partition for partition, count in found[1].counts.items() for _ in range(count)
    ]


def told(found: tuple[list[Produced], Records]) -> tuple[list[str], set[str], Counter[str]]:
    """Visits but for the time and place of processing, alert ids, and reasons of dead letters."""
    visits = [json.loads(line) for line in found[1].lines.split(b"\n")[:-1]]
    for visit in visits:
        del visit["processed_at"], visit["source_offset"]
    alerts = {
        json.loads(message.value or b"")["alert_id"] for message in found[0] if message.topic.startswith("alerts.")
    }
    reasons = [dict(message.headers)["reason"].decode() for message in found[0] if message.topic == "dead.letters.v1"]
    return sorted(json.dumps(visit) for visit in visits), alerts, Counter(reasons)


@settings(max_examples=80)
@given(
    arrivals=st.lists(st.tuples(scans(), st.sampled_from((0, 1, 3600, 172_801))), min_size=1, max_size=8),
    random=st.randoms(use_true_random=False),
    ahead_s=st.sampled_from((-3600, 3600, -20 * 86_400, 20 * 86_400)),
)
def test_no_clock_of_a_worker_and_no_order_of_arrival_changes_what_is_decided(
    arrivals: list[tuple[Record, int]], random: Random, ahead_s: int
) -> None:
    in_order = process(
        [record for record, _ in arrivals], len(arrivals), 14 * DAY_MS, waits_s=[wait for _, wait in arrivals]
    )
    mixed = random.sample(arrivals, len(arrivals))
    later = process(
        [record for record, _ in mixed],
        len(mixed),
        14 * DAY_MS,
        moment(ahead_s),
        [wait for _, wait in mixed],
    )
    assert told(later) == told(in_order)


@pytest.mark.parametrize(
    ("zone", "night"),
    [("Europe/Berlin", "2025-10-26"), ("Europe/Berlin", "2026-03-29"), ("Pacific/Auckland", "2025-09-28")],
)
def test_a_night_on_which_the_citys_clocks_change_changes_no_verdict(zone: str, night: str) -> None:
    midnight = datetime.fromisoformat(night).replace(tzinfo=UTC)
    for half_hours in range(-36, 13):
        at = midnight + timedelta(minutes=30 * half_hours)
        local = at.astimezone(ZoneInfo(zone)).isoformat(timespec="milliseconds")
        written = [at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), local]
        document = json.loads(scan(1, at).to_json())
        records = [(token(1).encode(), json.dumps({**document, "scanned_at": text}).encode()) for text in written]
        wait = int((at - moment()).total_seconds())
        visits, alerts, reasons = told(process(records, 2, 14 * DAY_MS, waits_s=[wait]))
        assert len(visits) == 2
        assert (reasons, len(alerts)) == (Counter(), 1), "one person at one venue in one window"
        assert len({json.loads(visit)["colour"] for visit in visits}) == 1
        assert not any("late" in json.loads(visit)["flags"] for visit in visits)


@settings(max_examples=80)
@given(records=st.lists(scans(), min_size=1, max_size=8))
def test_a_plain_scan_is_copied_as_it_would_be_encoded(records: list[Record]) -> None:
    for plain in read_plain([key for key, _ in records], [value for _, value in records]):
        for index, position in enumerate(plain.positions):
            key, value = records[position]
            if not plain.read[index]:
                continue
            scan = DECODER.decode(value)
            assert f"{plain.heads[index]}{plain.tails[index]}}}".encode() == encode(scan)
            assert plain.seconds[index].tobytes().decode() == f"{scan.scanned_at.astimezone(UTC):%S.%fZ}"
            assert plain.at_ms[index] == epoch_ms(scan.scanned_at)
            assert (plain.tokens[16 * index : 16 * index + 16].hex(), plain.venue_ids[index]) == (
                scan.person_token,
                scan.venue_id,
            )
            assert plain.enters[index] == (scan.direction == "enter")
            assert key == scan.person_token.encode()


@given(st.lists(documents(Scan), min_size=1, max_size=5))
def test_every_scan_that_our_own_encoder_writes_in_utc_is_read(made: list[dict[str, Any]]) -> None:
    values = [encode(DECODER.decode(json.dumps(document).encode())) for document in made]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical_scans, "FEW", 0)
        found = read_plain([document["person_token"].encode() for document in made], values)
    assert sorted(at for plain in found for at in plain.positions) == list(range(len(values)))
    for plain in found:
        for at, read in zip(plain.positions, plain.read.tolist(), strict=True):
            time = json.loads(values[at])["scanned_at"]
            assert read == (time.endswith("Z") and 1970 <= int(time[:4]) <= 2099)


def is_canonical(key: bytes | None, value: bytes | None) -> bool:
    """What `streams.canonical_scans` says of itself, without looking at how it reads."""
    if value is None or not value.isascii() or b"\\" in value:
        return False
    try:
        scan = DECODER.decode(value)
    except RejectError:
        return False
    time = scan.scanned_at
    if not (1970 <= time.year <= 2099 and time.utcoffset() == timedelta() and key == scan.person_token.encode()):
        return False
    written = json.loads(encode(scan))["scanned_at"].encode()
    fractions = (f".{time.microsecond:06d}Z", f".{time.microsecond // 1000:03d}Z")
    spellings = [written] + [time.strftime("%Y-%m-%dT%H:%M:%S").encode() + fraction.encode() for fraction in fractions]
    return any(encode(scan).replace(written, spelling, 1) == value for spelling in spellings)


@settings(max_examples=200)
@given(records=st.lists(st.one_of(scans(), scans(), others()), min_size=1, max_size=8))
def test_canonical_scans_are_exactly_those_that_the_encoder_writes_so(records: list[Record]) -> None:
    found = read_canonical([key for key, _ in records], [value for _, value in records])
    read = [at for at, is_read in zip(found.positions, found.read.tolist(), strict=True) if is_read]
    assert read == [at for at, record in enumerate(records) if is_canonical(*record)]


@settings(max_examples=80)
@given(records=st.lists(st.one_of(scans(), others()), min_size=1, max_size=8))
def test_the_good_ones_of_a_batch_are_those_that_are_good_alone(records: list[Record]) -> None:
    found = DECODER.decode_good([value for _, value in records])
    for (_, value), good in zip(records, found, strict=True):
        if good is None:
            with pytest.raises(RejectError):
                DECODER.decode(value)
        else:
            assert DECODER.decode(value) == good
