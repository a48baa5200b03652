"""The ClickHouse server over plain HTTP."""

from __future__ import annotations

import gzip
import http.client
import json
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.embedded.clickhouse import EmbeddedClickHouse
from infra.embedded.clickhouse.blocks import BlockDecoder, BlockEncoder
from infra.embedded.clickhouse.cityhash import cityhash128
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.clickhouse_http import Answer, ask, connection
from tests.support.waiting import wait_until

pytestmark = pytest.mark.clickhouse


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    """A server whose process and files a test may look into."""
    server = EmbeddedClickHouse(tmp_path_factory.mktemp("own"), port=0)
    server.start()
    yield server
    server.stop()


def _ask(server: ClickHouseServer, query: str | None = None, **options: Any) -> Answer:
    return ask(server.host, server.port, query, **options)


def _count(server: ClickHouseServer, table: str, database: str) -> int:
    return int(_ask(server, f"SELECT count() FROM {database}.{table}").body)


def test_health_checks_answer(clickhouse: ClickHouseServer) -> None:
    for path in ("/ping", "/replicas_status", "/"):
        answer = _ask(clickhouse, method="GET", path=path)
        assert (answer.status, answer.body) == (200, b"Ok.\n")
    assert _ask(clickhouse, method="GET", path="/elsewhere").status == 404


def test_query_may_stand_in_the_address_or_the_body_or_both(clickhouse: ClickHouseServer) -> None:
    assert _ask(clickhouse, "SELECT 1", method="GET").body == b"1\n"
    assert _ask(clickhouse, body=b"SELECT 2").body == b"2\n"
    assert _ask(clickhouse, "SELECT", body=b"3 + {x:UInt8}", param_x=4).body == b"7\n"


def test_an_address_may_be_long(clickhouse: ClickHouseServer) -> None:
    assert _ask(clickhouse, "SELECT length({x:String})", param_x="x" * 200_000).body == b"200000\n"


def test_format_may_stand_in_the_text_the_address_or_a_header(clickhouse: ClickHouseServer) -> None:
    sql = "SELECT 1 AS n"
    assert _ask(clickhouse, f"{sql} FORMAT JSONEachRow", default_format="CSV").body == b'{"n":1}\n'
    assert _ask(clickhouse, sql, default_format="TabSeparatedWithNames").body == b"n\n1\n"
    answer = _ask(clickhouse, sql, headers={"X-ClickHouse-Format": "JSONCompactEachRow"})
    assert (answer.body, answer.headers["x-clickhouse-format"]) == (b"[1]\n", "JSONCompactEachRow")


def test_headers_tell_what_clients_look_for(clickhouse: ClickHouseServer) -> None:
    query_id = uuid.uuid4().hex
    headers = _ask(clickhouse, "SELECT number FROM numbers(10)", query_id=query_id).headers
    assert headers["x-clickhouse-query-id"] == query_id
    assert headers["x-clickhouse-format"] == "TabSeparated"
    assert headers["x-clickhouse-timezone"]
    assert headers["x-clickhouse-server-display-name"]
    summary = json.loads(headers["x-clickhouse-summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("10", "10")


def test_get_may_not_change_anything(clickhouse: ClickHouseServer, clickhouse_database: str) -> None:
    answer = _ask(clickhouse, f"CREATE TABLE {clickhouse_database}.t (n UInt8) ENGINE = Memory", method="GET")
    assert (answer.status, answer.headers["x-clickhouse-exception-code"]) == (500, "164")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("SELEKT 1", 400, "62"),
        ("SELECT 1; SELECT 2", 400, "62"),
        ("SELECT * FROM missing", 404, "60"),
        ("SELECT missing", 404, "47"),
        ("SELECT missing()", 404, "46"),
        ("SELECT 1 FORMAT Missing", 404, "73"),
        ("SELECT {x:UInt8}", 500, "456"),
        ("SELECT throwIf(1)", 500, "395"),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", 500, "1"),
        ("", 400, "62"),
    ],
)
def test_errors_have_clickhouses_status_code_and_text(
    clickhouse: ClickHouseServer, query: str, status: int, code: str
) -> None:
    answer = _ask(clickhouse, query)
    assert (answer.status, answer.headers["x-clickhouse-exception-code"]) == (status, code)
    assert answer.body.startswith(f"Code: {code}. DB::Exception: ".encode())
    assert b"Traceback" not in answer.body
    assert b"(official build))" in answer.body


def test_wrong_parameters_are_the_clients_error(clickhouse: ClickHouseServer) -> None:
    assert _ask(clickhouse, "SELECT 1", max_threads="many").status in (400, 500)
    assert _ask(clickhouse, "SELECT 1", no_such_setting="1").headers["x-clickhouse-exception-code"] == "115"
    assert _ask(clickhouse, "SELECT 1", database="missing").status == 404
    assert _ask(clickhouse, "SELECT 1", headers={"Content-Encoding": "br"}).status == 500
    garbage = _ask(clickhouse, body=b"no gzip", headers={"Content-Encoding": "gzip"})
    assert garbage.headers["x-clickhouse-exception-code"] == "271"


@pytest.mark.parametrize("in_address", [True, False])
def test_rows_follow_the_statement_in_the_body_or_are_the_body(
    clickhouse: ClickHouseServer, clickhouse_database: str, in_address: bool
) -> None:
    table = f"{clickhouse_database}.t"
    _ask(clickhouse, f"CREATE TABLE {table} (n UInt64) ENGINE = MergeTree ORDER BY n")
    native = b"\x01\x03\x01n\x06UInt64" + struct.pack("<3Q", 0x0A0D0A0D, 0x3B27223B, 2**63)
    statement = f"INSERT INTO {table} FORMAT Native"
    answer = (
        _ask(clickhouse, statement, body=native)
        if in_address
        else _ask(clickhouse, body=statement.encode() + b"\n" + native)
    )
    assert (answer.status, json.loads(answer.headers["x-clickhouse-summary"])["written_rows"]) == (200, "3")
    assert _ask(clickhouse, f"SELECT sum(n) FROM {table}").body == b"%d\n" % (0x0A0D0A0D + 0x3B27223B + 2**63)


def test_a_chunked_body_may_come_in_any_pieces(clickhouse: ClickHouseServer, clickhouse_database: str) -> None:
    _ask(clickhouse, f"CREATE TABLE {clickhouse_database}.t (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    body = f"INSERT INTO {clickhouse_database}.t FORMAT CSV\n1,a\n2,b\n3,c\n".encode()
    answer = _ask(clickhouse, body=(body[at : at + 1] for at in range(len(body))))
    assert json.loads(answer.headers["x-clickhouse-summary"])["written_rows"] == "3"


def test_written_rows_are_counted_for_each_request_alone(
    clickhouse: ClickHouseServer, clickhouse_database: str
) -> None:
    table = f"{clickhouse_database}.t"
    _ask(clickhouse, f"CREATE TABLE {table} (n UInt64) ENGINE = MergeTree ORDER BY n")

    def insert(count: int) -> int:
        body = f"INSERT INTO {table} FORMAT CSV\n".encode() + b"1\n" * count
        return int(json.loads(_ask(clickhouse, body=body).headers["x-clickhouse-summary"])["written_rows"])

    counts = [100 * (number + 1) for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(insert, counts)) == counts
    assert _count(clickhouse, "t", clickhouse_database) == sum(counts)


def test_large_values_lists_are_inserted_whole(clickhouse: ClickHouseServer, clickhouse_database: str) -> None:
    table = f"{clickhouse_database}.t"
    _ask(clickhouse, f"CREATE TABLE {table} (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    values = ",".join(f"({number}, 'x''y\\n{number}')" for number in range(60_000))
    answer = _ask(clickhouse, body=f"INSERT INTO {table} VALUES {values}".encode())
    assert json.loads(answer.headers["x-clickhouse-summary"])["written_rows"] == "60000"
    assert _ask(clickhouse, f"SELECT uniqExact(s) FROM {table}").body == b"60000\n"


def test_blocks_of_clickhouses_own_compression_are_spoken(own_server: EmbeddedClickHouse, tmp_path: Path) -> None:
    host, port = own_server.host, own_server.port
    ask(
        host,
        port,
        "CREATE TABLE jdbc (n UInt64, s String) ENGINE = MergeTree ORDER BY n SETTINGS min_bytes_for_wide_part = 0",
    )
    encoder = BlockEncoder()
    rows = b"".join(b"%d\tname\n" % number for number in range(50_000))
    body = encoder.encode(rows) + encoder.finish()
    answer = ask(host, port, "INSERT INTO jdbc FORMAT TabSeparated", body=body, decompress=1)
    assert json.loads(answer.headers["x-clickhouse-summary"])["written_rows"] == "50000"
    answer = ask(host, port, "SELECT * FROM jdbc ORDER BY n", compress=1)
    assert "content-encoding" not in answer.headers
    assert BlockDecoder().decode(answer.body) == rows
    # The engine's own files hold the same blocks: what their checksums are, ours must be.
    stored = [path.read_bytes() for path in own_server.data_dir.rglob("n.bin")]
    assert stored
    for data in stored:
        size = struct.unpack_from("<I", data, 17)[0]
        assert data[:16] == cityhash128(data[16 : 16 + size])


def test_responses_are_compressed_when_asked(clickhouse: ClickHouseServer) -> None:
    sql = "SELECT number FROM numbers(100000)"
    plain = _ask(clickhouse, sql).body
    answer = _ask(clickhouse, sql, enable_http_compression=1, headers={"Accept-Encoding": "gzip"})
    assert (answer.headers["content-encoding"], gzip.decompress(answer.body)) == ("gzip", plain)
    assert (
        "content-encoding"
        not in _ask(clickhouse, sql, enable_http_compression=0, headers={"Accept-Encoding": "gzip"}).headers
    )


def test_one_requests_settings_and_database_do_not_reach_another(
    clickhouse: ClickHouseServer, clickhouse_database: str
) -> None:
    sql = "SELECT currentDatabase(), getSetting('max_threads'), getSetting('readonly')"
    before = _ask(clickhouse, sql).body
    assert _ask(clickhouse, sql, database=clickhouse_database, max_threads=7, readonly=2).body == (
        f"{clickhouse_database}\t7\t2\n".encode()
    )
    _ask(clickhouse, "SET max_threads = 5")
    _ask(clickhouse, f"USE {clickhouse_database}")
    assert _ask(clickhouse, sql).body == before


def test_a_session_keeps_what_it_set_and_only_that(clickhouse: ClickHouseServer, clickhouse_database: str) -> None:
    session = {"session_id": uuid.uuid4().hex}
    sql = "SELECT currentDatabase(), getSetting('max_threads'), getSetting('max_block_size')"
    _ask(clickhouse, "SET max_threads = 5", **session, max_block_size=77)
    _ask(clickhouse, f"USE {clickhouse_database}", **session)
    default_size = _ask(clickhouse, "SELECT getSetting('max_block_size')").body.strip().decode()
    expected = f"{clickhouse_database}\t5\t{default_size}\n".encode()
    assert _ask(clickhouse, sql, **session).body == expected
    assert _ask(clickhouse, sql, **session, database="default", max_threads=2).body.startswith(b"default\t2\t")
    assert _ask(clickhouse, sql, **session, method="GET").body == expected
    assert _ask(clickhouse, "CREATE TEMPORARY TABLE mine (n UInt8)", **session).status == 200
    forbidden = _ask(clickhouse, "INSERT INTO mine VALUES (1)", **session, method="GET")
    assert forbidden.headers["x-clickhouse-exception-code"] == "164"
    assert _ask(clickhouse, "SELECT count() FROM mine", **session).body == b"0\n"
    unknown = _ask(clickhouse, "SELECT 1", session_id=uuid.uuid4().hex, session_check=1)
    assert unknown.headers["x-clickhouse-exception-code"] == "372"


def test_a_session_serves_one_request_at_a_time(clickhouse: ClickHouseServer) -> None:
    session = {"session_id": uuid.uuid4().hex}
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: _ask(clickhouse, "SELECT sleep(1), 'in the session'", **session))
        wait_until(lambda: b"in the session" in _processes(clickhouse), 5, "the slow query")
        assert _ask(clickhouse, "SELECT 1", **session).headers["x-clickhouse-exception-code"] == "373"
        assert slow.result().status == 200
    assert _ask(clickhouse, "SELECT 1", **session).status == 200


def _processes(server: ClickHouseServer) -> bytes:
    sql = "SELECT query, Settings['log_comment'] FROM system.processes WHERE query NOT LIKE '%system.processes%'"
    return _ask(server, sql).body


def test_kill_query_ends_a_query_by_the_id_its_client_gave(clickhouse: ClickHouseServer) -> None:
    query_id = f"slow-{uuid.uuid4().hex}"
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: _ask(clickhouse, "SELECT count() FROM numbers(1e12)", query_id=query_id))
        wait_until(lambda: query_id.encode() in _processes(clickhouse), 5, "the query to run")
        again = _ask(clickhouse, "SELECT 1", query_id=query_id)
        assert again.headers["x-clickhouse-exception-code"] == "216"
        assert query_id.encode() not in _ask(clickhouse, f"KILL QUERY WHERE query_id = '{query_id}' SYNC").body[:8]
        assert slow.result().headers["x-clickhouse-exception-code"] == "394"


def test_a_client_that_closes_its_connection_ends_its_query(clickhouse: ClickHouseServer) -> None:
    marks = [f"left-{uuid.uuid4().hex}" for _ in range(40)]

    def leave(mark: str) -> None:
        with connection(clickhouse.host, clickhouse.port) as link:
            link.request(
                "POST", f"/?query_id={mark}", body=b"SELECT count() FROM numbers(1e13) SETTINGS max_threads = 1"
            )
            wait_until(lambda: mark.encode() in _processes(clickhouse), 20, "the query to run")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(leave, marks))
    # 40 abandoned queries are more than the server has threads: it answers only because they end.
    assert _ask(clickhouse, "SELECT 1").body == b"1\n"
    wait_until(lambda: b"left-" not in _processes(clickhouse), 20, "the abandoned queries to end")


def test_an_upload_that_breaks_off_stores_nothing(clickhouse: ClickHouseServer, clickhouse_database: str) -> None:
    table = f"{clickhouse_database}.t"
    _ask(clickhouse, f"CREATE TABLE {table} (n UInt64) ENGINE = MergeTree ORDER BY n")
    query_id = f"upload-{uuid.uuid4().hex}"
    with connection(clickhouse.host, clickhouse.port) as link:
        link.putrequest("POST", f"/?query_id={query_id}")
        link.putheader("Content-Length", "1000000")
        link.endheaders()
        link.send(f"INSERT INTO {table} FORMAT CSV\n".encode() + b"1\n" * 1000)
        wait_until(lambda: query_id.encode() in _processes(clickhouse), 10, "the insert to run")
    wait_until(lambda: query_id.encode() not in _processes(clickhouse), 10, "the insert to end")
    assert _count(clickhouse, "t", clickhouse_database) == 0


def _large_rows(count: int) -> bytes:
    return b"".join(b'{"n":%d,"s":"%s"}\n' % (number, b"x" * 90) for number in range(count))


def test_a_body_of_known_length_is_stored_whole_and_the_next_request_finds_the_server(
    clickhouse: ClickHouseServer, clickhouse_database: str
) -> None:
    """Several times the pipe's capacity: it goes from the socket to the engine past the event loop."""
    _ask(clickhouse, f"CREATE TABLE {clickhouse_database}.whole (n UInt64, s String) ENGINE = Memory")
    with connection(clickhouse.host, clickhouse.port) as link:
        for _ in range(2):
            link.request(
                "POST",
                f"/?database={clickhouse_database}&query=INSERT+INTO+whole+FORMAT+JSONEachRow",
                body=_large_rows(100_000),
            )
            response = link.getresponse()
            assert (response.status, response.read()) == (200, b"")
            assert json.loads(response.headers["X-ClickHouse-Summary"])["written_rows"] == "100000"
    answer = _ask(clickhouse, f"SELECT count(), uniqExact(n), sum(length(s)) FROM {clickhouse_database}.whole")
    assert answer.body == b"200000\t100000\t18000000\n"


def test_a_bad_row_in_a_large_body_is_answered_though_most_of_the_body_is_still_to_come(
    clickhouse: ClickHouseServer, clickhouse_database: str
) -> None:
    _ask(clickhouse, f"CREATE TABLE {clickhouse_database}.whole (n UInt64, s String) ENGINE = Memory")
    body = b'{"n":"no number"}\n' + _large_rows(100_000)
    answer = _ask(clickhouse, "INSERT INTO whole FORMAT JSONEachRow", body=body, database=clickhouse_database)
    assert answer.status == 400
    assert answer.headers["x-clickhouse-exception-code"] in ("26", "27", "117")
    assert _count(clickhouse, "whole", clickhouse_database) == 0


@pytest.mark.parametrize("sent", [0.05, 0.9])
def test_a_large_body_that_breaks_off_stores_nothing(
    clickhouse: ClickHouseServer, clickhouse_database: str, sent: float
) -> None:
    _ask(clickhouse, f"CREATE TABLE {clickhouse_database}.whole (n UInt64, s String) ENGINE = Memory")
    body = _large_rows(100_000)
    with connection(clickhouse.host, clickhouse.port) as link:
        link.putrequest(
            "POST",
            f"/?database={clickhouse_database}&query_id={clickhouse_database}&query=INSERT+INTO+whole+FORMAT+JSONEachRow",
        )
        link.putheader("Content-Length", str(len(body)))
        link.endheaders()
        link.send(body[: int(len(body) * sent)])
    running = f"SELECT count() FROM system.processes WHERE Settings['log_comment'] = '{clickhouse_database}'"
    wait_until(lambda: _ask(clickhouse, running).body == b"0\n", 10, "the statement to end")
    assert _count(clickhouse, "whole", clickhouse_database) == 0


def test_sixteen_clients_read_and_write_at_once(clickhouse: ClickHouseServer, clickhouse_database: str) -> None:
    setup = clickhouse.client(clickhouse_database)
    setup.command("CREATE TABLE t (who UInt8, n UInt64) ENGINE = MergeTree ORDER BY n")

    def work(who: int) -> int:
        client = clickhouse.client(clickhouse_database)
        try:
            for turn in range(5):
                rows = b"".join(b'{"who":%d,"n":%d}\n' % (who, turn * 1000 + number) for number in range(1000))
                assert client.raw_insert("t", insert_block=rows, fmt="JSONEachRow").written_rows == 1000
                mine = client.query("SELECT count() FROM t WHERE who = {w:UInt8}", parameters={"w": who}).first_row[0]
                assert mine == (turn + 1) * 1000
            return int(client.command("SELECT uniqExact(n) FROM t WHERE who = {w:UInt8}", parameters={"w": who}))
        finally:
            client.close()

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))) == [5000] * 16
    assert setup.command("SELECT count() FROM t") == 80_000
    setup.close()


def test_a_small_query_does_not_wait_for_large_ones(clickhouse: ClickHouseServer) -> None:
    done = threading.Event()

    def stream() -> int:
        with connection(clickhouse.host, clickhouse.port) as link:
            link.request("POST", "/", body=b"SELECT number FROM numbers(1e9) FORMAT TabSeparated")
            response = link.getresponse()
            size = 0
            while not done.is_set():
                size += len(response.read(1 << 16))
            return size

    with ThreadPoolExecutor(2) as pool:
        streams = [pool.submit(stream) for _ in range(2)]
        try:
            took = []
            for _ in range(20):
                begin = time.perf_counter()
                assert _ask(clickhouse, "SELECT 1").body == b"1\n"
                took.append(time.perf_counter() - begin)
        finally:
            done.set()
        assert all(stream.result() > 0 for stream in streams)
    assert sorted(took)[10] < 1.0


def test_a_large_result_streams_in_bounded_memory(own_server: EmbeddedClickHouse) -> None:
    process = psutil.Process(own_server.pid)
    ask(own_server.host, own_server.port, "SELECT randomPrintableASCII(100) FROM numbers(100000)")
    before, peak, size = process.memory_info().rss, 0, 0
    sql = b"SELECT number, randomPrintableASCII(100) FROM numbers(5000000) FORMAT TabSeparated"
    with connection(own_server.host, own_server.port) as link:
        link.request("POST", "/", body=sql)
        response = link.getresponse()
        assert response.getheader("transfer-encoding") == "chunked"
        while piece := response.read(1 << 20):
            size += len(piece)
            peak = max(peak, process.memory_info().rss)
    assert size > 500_000_000
    assert peak - before < 250_000_000


def test_a_large_upload_streams_in_bounded_memory(own_server: EmbeddedClickHouse) -> None:
    host, port = own_server.host, own_server.port
    ask(host, port, "CREATE TABLE gone (s String) ENGINE = Null")
    process = psutil.Process(own_server.pid)
    block = (b"x" * 99 + b"\n") * 10_000
    ask(host, port, "INSERT INTO gone FORMAT TabSeparated", body=block)
    before, peaks = process.memory_info().rss, [0]

    def pieces() -> Iterator[bytes]:
        for _ in range(400):
            yield block
            peaks.append(process.memory_info().rss)

    small: dict[str, Any] = {"max_insert_block_size": 65_536, "min_insert_block_size_bytes": 8_000_000}
    answer = ask(host, port, "INSERT INTO gone FORMAT TabSeparated", body=pieces(), **small)
    assert json.loads(answer.headers["x-clickhouse-summary"])["written_rows"] == "4000000"
    assert max(peaks) - before < 200_000_000


def test_an_error_in_mid_stream_stands_in_the_stream_which_breaks_off(clickhouse: ClickHouseServer) -> None:
    sql = b"SELECT throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_threads = 1 FORMAT TabSeparated"
    with connection(clickhouse.host, clickhouse.port) as link:
        link.request("POST", "/", body=sql)
        response = link.getresponse()
        tag = str(response.getheader("X-ClickHouse-Exception-Tag"))
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
    tail = caught.value.partial[-2000:]
    assert f"__exception__\r\n{tag}\r\nCode: 395. DB::Exception: ".encode() in tail
    assert tail.endswith(f" {tag}\r\n__exception__\r\n".encode())


def test_with_wait_end_of_query_a_late_error_is_still_a_status(clickhouse: ClickHouseServer) -> None:
    sql = "SELECT throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_threads = 1"
    answer = _ask(clickhouse, sql, wait_end_of_query=1)
    assert (answer.status, answer.headers["x-clickhouse-exception-code"]) == (500, "395")
