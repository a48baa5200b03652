"""The fault harness sees what it is there to see, and its proxy does what it says."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from tests.faults.load import BadScan, GoodScan, Load
from tests.faults.report import Count, Round
from tests.faults.verdict import compare
from tests.support.tcp_proxy import TcpProxy

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def test_what_is_missing_extra_otherwise_or_repeated_is_counted() -> None:
    expected = {1: b"a", 2: b"b", 3: b"c"}
    found = [(1, b"a"), (1, b"a"), (2, b"other"), (9, b"z")]
    assert compare(expected, found) == Count(expected=3, missing=2, extra=2, repeated=1)
    assert compare(expected, expected.items()) == Count(expected=3)


@pytest.mark.parametrize("wrong", [Count(missing=1), Count(extra=1)])
def test_a_round_with_anything_missing_or_extra_is_not_kept(wrong: Count) -> None:
    assert not Round("round", 1, found={"topic visits": wrong}).is_kept
    assert not Round("round", 1, found={"table visits": wrong}).is_kept


def test_a_repeat_is_kept_on_a_topic_and_not_in_a_view_and_nothing_compared_is_nothing_kept() -> None:
    assert Round("round", 1, found={"topic visits": Count(repeated=1)}).is_kept
    assert not Round("round", 1, found={"table visits": Count(repeated=1)}).is_kept
    assert not Round("round", 1).is_kept


def test_a_load_is_the_same_for_the_same_seed_and_holds_every_kind_of_record_and_level() -> None:
    parts = list(Load(1, NOW).slices(6_000))
    assert parts == list(Load(1, NOW).slices(6_000))
    assert [len(part) for part in parts] == [5_000, 1_000]
    expected = [one for part in parts for one in part.expected]
    assert {one.reason for one in expected if isinstance(one, BadScan)} == {
        "not_json",
        "key_mismatch",
        "too_far_in_the_future",
        "null_value",
        "unknown_value",
    }
    raised = {one.alert[0] for one in expected if isinstance(one, GoodScan) and one.alert is not None}
    assert raised == {"red", "yellow", "review"}


def test_a_fingerprint_tells_any_two_scans_apart() -> None:
    part = next(Load(2, NOW).slices(2_000))
    good = [one.visit for one in part.expected if isinstance(one, GoodScan)]
    scans = [json.loads(value)["scan_id"] for _, value in part.records if value is not None and value.endswith(b"}")]
    assert len(set(good)) == len(good)
    assert len(set(scans)) >= len(good)


@contextmanager
def echo() -> Iterator[int]:
    """A server on a free port that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    try:
                        while data := connection.recv(1024):
                            connection.sendall(data)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def connect_and_read(port: int) -> bytes:
    """Whatever comes first; a reset may come as it connects, or at the read."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        return client.recv(100)


def test_the_proxy_passes_on_delays_each_way_and_cuts() -> None:
    with echo() as port, TcpProxy(port) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
            client.sendall(b"at once")
            assert client.recv(100) == b"at once"
            proxy.delay_s = 0.1
            began = time.monotonic()
            client.sendall(b"later")
            assert client.recv(100) == b"later"
            assert time.monotonic() - began >= 0.2
            assert proxy.cut() == 1
            with pytest.raises(ConnectionResetError):
                client.recv(100)
        proxy.delay_s = 0
        proxy.refuse(True)
        with pytest.raises(ConnectionResetError):
            connect_and_read(proxy.port)
        proxy.refuse(False)
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as again:
            again.sendall(b"again")
            assert again.recv(100) == b"again"
