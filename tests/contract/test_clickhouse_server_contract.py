"""clickhouse-connect's own calls: the embedded server answers them as a real one does."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import clickhouse_connect
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError
from clickhouse_connect.driver.external import ExternalData

from tests.support.clickhouse_fixtures import ClickHouseServer

pytestmark = pytest.mark.clickhouse

TABLE = """CREATE TABLE {} (n UInt64, name String, kind LowCardinality(String), at DateTime64(3), tags Array(String),
maybe Nullable(Int32)) ENGINE = MergeTree ORDER BY n"""
SMALL = "CREATE TABLE {} (n UInt64, name String) ENGINE = MergeTree ORDER BY n"


@pytest.fixture(params=["embedded", pytest.param("container", marks=pytest.mark.docker)])
def server(request: pytest.FixtureRequest) -> ClickHouseServer:
    """The server under the contract."""
    name = "clickhouse" if request.param == "embedded" else "clickhouse_container"
    found: ClickHouseServer = request.getfixturevalue(name)
    return found


@pytest.fixture
def database(server: ClickHouseServer) -> Iterator[str]:
    """A fresh database on it."""
    name = f"contract_{uuid.uuid4().hex}"
    client = server.client()
    client.command(f"CREATE DATABASE {name} ENGINE = Atomic")
    yield name
    client.command(f"DROP DATABASE {name} SYNC")
    client.close()


@pytest.fixture
def client(server: ClickHouseServer, database: str) -> Iterator[Any]:
    """A client on the fresh database."""
    found = server.client(database)
    yield found
    found.close()


def _rows(count: int) -> list[list[Any]]:
    start = dt.datetime.now(dt.UTC).replace(microsecond=123_000)
    return [
        [
            number,
            f"名字 {number}\n\t'",
            ("bus", "market")[number % 2],
            start,
            ["a", "b"],
            None if number % 3 else number,
        ]
        for number in range(count)
    ]


def test_query_gives_rows_columns_and_types(client: Any) -> None:
    result = client.query("SELECT toUInt64(number) AS n, toString(number) AS s FROM numbers(3)")
    assert result.result_rows == [(0, "0"), (1, "1"), (2, "2")]
    assert result.column_names == ("n", "s")
    assert [column.name for column in result.column_types] == ["UInt64", "String"]


def test_query_of_no_rows_still_tells_its_columns(client: Any) -> None:
    result = client.query("SELECT number AS n FROM numbers(3) LIMIT 0")
    assert result.result_rows == []
    assert result.column_names == ("n",)


def test_query_binds_parameters_on_the_server(client: Any) -> None:
    values = {"text": "a'\\ \t\n 名", "number": 7, "moment": dt.date.today(), "many": ["x", "y'"]}  # noqa: DTZ011
    result = client.query(
        "SELECT {text:String}, {number:UInt8}, {moment:Date}, {many:Array(String)}", parameters=values
    )
    assert result.result_rows == [tuple(values.values())]


def test_query_df_gives_a_data_frame(client: Any) -> None:
    frame = client.query_df("SELECT number AS n, toString(number) AS s FROM numbers(1000)")
    assert frame["n"].sum() == 499_500
    assert list(frame["s"][:2]) == ["0", "1"]


def test_query_arrow_gives_a_table(client: Any) -> None:
    table = client.query_arrow("SELECT number AS n, toString(number) AS s FROM numbers(200000)")
    assert table.num_rows == 200_000
    assert table.column("n")[-1].as_py() == 199_999


def test_query_row_block_stream_gives_every_row_of_a_large_result(client: Any) -> None:
    with client.query_row_block_stream("SELECT number, toString(number) FROM numbers(500000)") as stream:
        counted = sum(len(block) for block in stream)
    assert counted == 500_000


def test_query_arrow_stream_gives_every_row(client: Any) -> None:
    with client.query_arrow_stream("SELECT number FROM numbers(300000)") as stream:
        assert sum(batch.num_rows for batch in stream) == 300_000


def test_raw_query_gives_any_output_format(client: Any) -> None:
    sql = "SELECT number AS n FROM numbers(2)"
    assert client.raw_query(sql, fmt="JSONEachRow").replace(b'"0"', b"0").replace(b'"1"', b"1") == b'{"n":0}\n{"n":1}\n'
    assert client.raw_query(sql, fmt="TabSeparatedWithNames") == b"n\n0\n1\n"
    assert client.raw_query(f"{sql} FORMAT CSV") == b"0\n1\n"
    assert client.raw_query(sql) == b"0\n1\n"
    assert client.raw_query(sql, fmt="Parquet")[:4] == b"PAR1"


def test_raw_stream_gives_the_bytes_of_one_document(client: Any) -> None:
    with client.raw_stream("SELECT number FROM numbers(200000)", fmt="ArrowStream") as stream:
        assert pa.ipc.open_stream(stream.read()).read_all().num_rows == 200_000


def test_insert_stores_every_type_and_counts_its_rows(client: Any) -> None:
    client.command(TABLE.format("t"))
    rows = _rows(1000)
    names = ["n", "name", "kind", "at", "tags", "maybe"]
    assert client.insert("t", rows, column_names=names).written_rows == 1000
    stored = client.query("SELECT * FROM t ORDER BY n").result_rows
    assert [list(row[:3]) + list(row[4:]) for row in stored] == [row[:3] + row[4:] for row in rows]


def test_insert_df_and_insert_arrow_store_every_row(client: Any) -> None:
    client.command(SMALL.format("t"))
    frame = pd.DataFrame({"n": range(5000), "name": [str(number) for number in range(5000)]})
    assert client.insert_df("t", frame).written_rows == 5000
    table = pa.table({"n": pa.array(range(5000), pa.uint64()), "name": [str(number) for number in range(5000)]})
    assert client.insert_arrow("t", table).written_rows == 5000
    assert client.query("SELECT count(), uniqExact(n) FROM t").result_rows == [(10_000, 5000)]


@pytest.mark.parametrize("compression", [None, "lz4", "zstd", "gzip", "deflate"])
def test_raw_insert_stores_every_row_under_every_compression(client: Any, compression: str | None) -> None:
    client.command(SMALL.format("t"))
    lines = b"".join(b'{"n":%d,"name":"x%d"}\n' % (number, number) for number in range(20_000))
    block = lines if compression is None else _compressed(lines, compression)
    summary = client.raw_insert("t", ["n", "name"], insert_block=block, fmt="JSONEachRow", compression=compression)
    assert summary.written_rows == 20_000
    assert client.query("SELECT count(), sum(n), max(name) FROM t").result_rows == [(20_000, 199_990_000, "x9999")]


def test_raw_insert_streams_a_generator(client: Any) -> None:
    client.command(SMALL.format("t"))
    pieces = (b"%d\tname %d\n" % (number, number) for number in range(30_000))
    assert client.raw_insert("t", insert_block=pieces, fmt="TabSeparated").written_rows == 30_000


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_an_insert_of_several_blocks_loses_none_under_any_compression(
    server: ClickHouseServer, database: str, compress: bool | str
) -> None:
    client = server.client(database, compress=compress)
    client.command(SMALL.format("t"))
    count = 300_000
    columns = [np.arange(count, dtype="u8"), [f"name {number}" for number in range(count)]]
    summary = client.insert("t", columns, column_names=["n", "name"], column_oriented=True)
    assert summary.written_rows == count
    assert client.query("SELECT count(), uniqExact(n) FROM t").result_rows == [(count, count)]
    with client.query_row_block_stream("SELECT n, name FROM t ORDER BY n") as stream:
        assert sum(row[0] for block in stream for row in block) == count * (count - 1) // 2
    client.close()


def test_command_gives_a_value_a_list_or_nothing(client: Any) -> None:
    assert client.command("SELECT 7") == 7
    assert client.command("SELECT 'a', 'b'") == ["a", "b"]
    assert client.command("CREATE TABLE empty (n UInt8) ENGINE = Memory").written_rows == 0
    assert client.command("EXISTS TABLE empty") == 1
    assert "CREATE TABLE" in client.command("SHOW CREATE TABLE empty")


def test_command_inserts_its_data(client: Any) -> None:
    client.command(SMALL.format("t"))
    assert client.command("INSERT INTO t FORMAT CSV", data='1,"a"\n2,"b"\n').written_rows == 2
    assert client.command("INSERT INTO t VALUES (3, {name:String})", parameters={"name": "c"}).written_rows == 1
    assert client.command("INSERT INTO t SELECT number, 'd' FROM numbers(4)").written_rows == 4
    assert client.query("SELECT count(), groupUniqArray(name) FROM t").first_row[0] == 7


def test_input_function_transforms_rows_on_their_way(client: Any) -> None:
    client.command(SMALL.format("t"))
    sql = "INSERT INTO t (n, name) SELECT n * 2, upper(s) FROM input('n UInt64, s String') FORMAT JSONEachRow"
    client.command(sql, data=b'{"n":1,"s":"a"}\n{"n":2,"s":"b"}\n')
    assert client.query("SELECT n, name FROM t ORDER BY n").result_rows == [(2, "A"), (4, "B")]


def test_parameterised_view_takes_its_arguments(client: Any) -> None:
    client.command(SMALL.format("t"))
    client.command("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    client.command("CREATE VIEW v AS SELECT n FROM t WHERE name = {who:String}")
    assert client.query("SELECT * FROM v(who = {x:String})", parameters={"x": "b"}).result_rows == [(2,)]


def test_tables_are_altered_optimised_and_expired(client: Any) -> None:
    client.command("CREATE TABLE t (at DateTime, n UInt8) ENGINE = MergeTree ORDER BY n TTL at + INTERVAL 1 DAY")
    client.command("INSERT INTO t VALUES (now(), 1), (now() - INTERVAL 2 DAY, 2)")
    client.command("ALTER TABLE t ADD COLUMN more String DEFAULT 'x' COMMENT 'text'")
    client.command("OPTIMIZE TABLE t FINAL")
    assert client.query("SELECT n, more FROM t").result_rows == [(1, "x")]


def test_ping_answers(client: Any) -> None:
    assert client.ping() is True


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM missing", 60),
        ("SELECT missing", 47),
        ("SELECT missing()", 46),
        ("SELEKT 1", 62),
        ("SELECT 1 FORMAT Missing", 73),
        ("INSERT INTO missing VALUES (1)", 60),
        ("SELECT throwIf(1)", 395),
    ],
)
def test_errors_carry_clickhouses_code(client: Any, sql: str, code: int) -> None:
    with pytest.raises(DatabaseError, match=rf"Code: {code}\. DB::Exception: ") as caught:
        client.command(sql)
    assert caught.value.code == code


def test_an_unknown_database_is_an_error(server: ClickHouseServer) -> None:
    with pytest.raises(DatabaseError, match=r"Code: 81\."):
        server.client("missing_database").query("SELECT 1")


def test_broken_rows_are_an_error_and_none_is_stored(client: Any) -> None:
    client.command(SMALL.format("t"))
    with pytest.raises(DatabaseError, match=r"Code: \d+\. DB::Exception"):
        client.raw_insert("t", insert_block=b'{"n":1,"name":"a"}\n{"n":"many"}\n', fmt="JSONEachRow")
    assert client.command("SELECT count() FROM t") == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_in_mid_stream_raises(client: Any) -> None:
    sql = "SELECT throwIf(number = 3000000), toString(number) FROM numbers(4000000) SETTINGS max_threads = 1"
    with pytest.raises(StreamFailureError, match=r"Code: 395\."), client.query_row_block_stream(sql) as stream:
        for _ in stream:
            pass


def test_settings_hold_for_one_query_only(client: Any) -> None:
    sql = "SELECT getSetting('max_threads')"
    normal = client.command(sql)
    assert client.command(sql, settings={"max_threads": 3}) == 3
    assert client.command(sql) == normal
    with pytest.raises(DatabaseError, match=r"Code: 159\."):
        client.query("SELECT sleepEachRow(1) FROM numbers(3)", settings={"max_execution_time": 1, "max_block_size": 1})


def test_a_session_keeps_temporary_tables_and_settings(client: Any, server: ClickHouseServer, database: str) -> None:
    client.command("CREATE TEMPORARY TABLE mine (n UInt8)")
    client.command("INSERT INTO mine VALUES (1)")
    client.command("SET max_threads = 2")
    assert client.command("SELECT count() FROM mine") == 1
    assert client.command("SELECT getSetting('max_threads')") == 2
    assert client.command("SELECT getSetting('max_threads')", settings={"max_threads": 3}) == 3
    assert client.command("SELECT getSetting('max_threads')") == 2
    other = server.client(database)
    with pytest.raises(DatabaseError, match=r"Code: 60\."):
        other.command("SELECT count() FROM mine")
    other.close()


def test_external_data_is_a_table_of_its_query(client: Any) -> None:
    data = ExternalData(file_name="people.csv", data=b"1,a\n2,b\n", fmt="CSV", structure=["n UInt8", "s String"])
    assert client.query("SELECT s FROM people ORDER BY n", external_data=data).result_rows == [("a",), ("b",)]


def test_summary_counts_what_was_read(client: Any) -> None:
    summary = client.query("SELECT sum(number) FROM numbers(100000)").summary
    assert int(summary["read_rows"]) == 100_000
    assert summary["query_id"]


def _async(server: ClickHouseServer, database: str, work: Callable[[Any], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        client = await clickhouse_connect.get_async_client(
            host=server.host, port=server.port, username=server.user, password=server.password, database=database
        )
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def test_async_client_queries_inserts_and_fails_alike(server: ClickHouseServer, database: str) -> None:
    async def work(client: Any) -> tuple[int, Any]:
        await client.command(SMALL.format("t"))
        rows = [[number, str(number)] for number in range(200_000)]
        written = (await client.insert("t", rows, column_names=["n", "name"])).written_rows
        raw = await client.raw_insert("t", insert_block=b'{"n":1,"name":"a"}\n' * 1000, fmt="JSONEachRow")
        with pytest.raises(DatabaseError, match=r"Code: 60\."):
            await client.query("SELECT * FROM missing")
        return written + raw.written_rows, (await client.query("SELECT count() FROM t")).first_row[0]

    assert _async(server, database, work) == (201_000, 201_000)


def test_async_clients_work_at_once(server: ClickHouseServer, database: str) -> None:
    async def work(client: Any) -> list[int]:
        results = await asyncio.gather(
            *(
                client.query(f"SELECT {number}, sleep(0.05)", settings={"session_id": uuid.uuid4().hex})
                for number in range(16)
            )
        )
        return [result.first_row[0] for result in results]

    assert _async(server, database, work) == list(range(16))


def _compressed(data: bytes, encoding: str) -> bytes:
    """Two frames, as clickhouse-connect itself would send two blocks (deflate knows no frames in a row)."""
    import gzip
    import zlib

    import lz4.frame
    import zstandard

    if encoding == "deflate":
        return zlib.compress(data)
    middle = data.index(b"\n", len(data) // 2) + 1
    compress: Callable[[bytes], bytes] = {
        "lz4": lz4.frame.compress,
        "zstd": zstandard.ZstdCompressor().compress,
        "gzip": gzip.compress,
    }[encoding]
    return compress(data[:middle]) + compress(data[middle:])
