"""How a request's SQL is sorted and rewritten."""

from __future__ import annotations

import pytest

from infra.embedded.clickhouse.errors import ServerError
from infra.embedded.clickhouse.insert import Insert, Plain
from infra.embedded.clickhouse.statement import Select, Statement, may_change, parse


def _parse(text: bytes, default_format: str | None = None) -> Statement:
    statement = parse(text, complete=True, default_format=default_format)
    assert statement is not None
    return statement


@pytest.mark.parametrize(
    ("sql", "rewritten"),
    [
        (b"INSERT INTO t FORMAT CSV\n1,2", b"INSERT INTO t  FROM INFILE 'P'  FORMAT CSV"),
        (b"insert into d.t (a, `b)`) format CSV\n1,2", b"insert into d.t (a, `b)`)  FROM INFILE 'P'  FORMAT CSV"),
        (
            b"INSERT INTO t SETTINGS a = 1 FORMAT CSV\n1,2",
            b"INSERT INTO t  FROM INFILE 'P' SETTINGS a = 1  FORMAT CSV",
        ),
        (b"INSERT INTO format FORMAT CSV\n1,2", b"INSERT INTO format  FROM INFILE 'P'  FORMAT CSV"),
        (b"INSERT INTO d.format FORMAT CSV\n1,2", b"INSERT INTO d.format  FROM INFILE 'P'  FORMAT CSV"),
        (
            b"INSERT INTO t -- FORMAT TSV\n FORMAT CSV\n1,2",
            b"INSERT INTO t -- FORMAT TSV\n  FROM INFILE 'P'  FORMAT CSV",
        ),
        (b"INSERT INTO TABLE t (values) VALUES1,2", b"INSERT INTO TABLE t (values)  FROM INFILE 'P'  FORMAT Values"),
        (
            b"INSERT INTO t SELECT a FROM input('a UInt8') WHERE a > 1 FORMAT CSV\n1,2",
            b"INSERT INTO t SELECT a FROM file('P', 'CSV', 'a UInt8') WHERE a > 1 ",
        ),
    ],
)
def test_an_insert_reads_its_rows_from_a_file(sql: bytes, rewritten: bytes) -> None:
    sql = sql.replace(b"VALUES1", b"VALUES 1")
    statement = _parse(sql)
    assert isinstance(statement, Insert)
    assert statement.sql("P") == rewritten
    assert sql[statement.data_at :].strip() == b"1,2"


def test_rows_begin_after_one_line_break_and_are_not_touched() -> None:
    for gap in (b"\n", b"\r\n", b" \t\n"):
        statement = _parse(b"INSERT INTO t FORMAT Native" + gap + b"\n \x00\xff;'")
        assert isinstance(statement, Insert)
        text = b"INSERT INTO t FORMAT Native" + gap + b"\n \x00\xff;'"
        assert text[statement.data_at :] == b"\n \x00\xff;'"


def test_an_insert_without_a_format_takes_the_requests() -> None:
    statement = _parse(b"INSERT INTO t (a)\n", "JSONEachRow")
    assert isinstance(statement, Insert)
    assert statement.format == "JSONEachRow"


@pytest.mark.parametrize(
    "sql",
    [
        b"INSERT INTO t SELECT 1",
        b"INSERT INTO t (a) SELECT format('{}', x) FROM s",
        b"INSERT INTO t (SELECT 1)",
        b"INSERT INTO t WITH 1 AS x SELECT x",
        b"INSERT INTO t SELECT a AS format FROM s",
    ],
)
def test_an_insert_from_a_query_runs_as_it_is(sql: bytes) -> None:
    assert _parse(sql) == Plain(sql, None)


@pytest.mark.parametrize(
    ("sql", "output_format", "rewritten"),
    [
        (b"SELECT 1", "TabSeparated", b"SELECT 1\nINTO OUTFILE 'P' APPEND FORMAT TabSeparated\n"),
        (b"SELECT 1 FORMAT JSON;", "JSON", b"SELECT 1 \nINTO OUTFILE 'P' APPEND FORMAT JSON\n"),
        (
            b"SELECT 1 FORMAT JSON SETTINGS a = 1",
            "JSON",
            b"SELECT 1 \nINTO OUTFILE 'P' APPEND FORMAT JSON\n SETTINGS a = 1",
        ),
        (
            b"SELECT 'FORMAT CSV' -- FORMAT TSV",
            "TabSeparated",
            b"SELECT 'FORMAT CSV'\nINTO OUTFILE 'P' APPEND FORMAT TabSeparated\n",
        ),
        (b"(SELECT 1) UNION ALL (SELECT 2)", "TabSeparated", None),
        (b"WITH 1 AS x SELECT x FORMAT CSV", "CSV", None),
        (b"SELECT format FROM t", "TabSeparated", None),
        (b"SELECT a FROM (SELECT 1 AS a) AS format", "TabSeparated", None),
    ],
)
def test_a_query_writes_its_result_to_a_file(sql: bytes, output_format: str, rewritten: bytes | None) -> None:
    statement = _parse(sql)
    assert isinstance(statement, Select)
    assert statement.format == output_format
    if rewritten is not None:
        assert statement.sql("P") == rewritten


def test_statements_with_and_without_a_result_are_told_apart() -> None:
    assert _parse(b"SHOW TABLES") == Plain(b"SHOW TABLES", "TabSeparated")
    assert _parse(b"SHOW TABLES FORMAT JSON", "CSV") == Plain(b"SHOW TABLES FORMAT JSON", "JSON")
    assert _parse(b"CREATE TABLE t (a Int8) ENGINE = Memory", "CSV").format is None
    assert _parse(b"WITH 1 AS x INSERT INTO t SELECT x") == Plain(b"WITH 1 AS x INSERT INTO t SELECT x", None)
    assert _parse(b"SET a = 1") == Plain(b"SET a = 1", None, changes_session=True)


def test_kill_query_finds_a_request_by_the_id_its_client_gave() -> None:
    statement = _parse(b"KILL QUERY WHERE query_id = 'query_id'")
    assert isinstance(statement, Plain)
    assert statement.kills
    assert statement.text == b"KILL QUERY WHERE Settings['log_comment'] = 'query_id'"


def test_what_a_read_only_request_may_not_do_is_known() -> None:
    changing = (b"DROP TABLE t", b"INSERT INTO t VALUES (1)", b"INSERT INTO t SELECT 1", b"KILL QUERY WHERE 1")
    assert all(may_change(_parse(sql)) for sql in changing)
    assert not any(may_change(_parse(sql)) for sql in (b"SELECT 1", b"SHOW TABLES", b"SET a = 1", b"USE d"))


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        (b" -- nothing\n", 62),
        (b"SELECT 1; SELECT 2", 62),
        (b"DROP TABLE a; DROP TABLE b", 62),
        (b"SELECT 1 INTO OUTFILE '/tmp/x'", 1),
        (b"SHOW TABLES INTO OUTFILE '/tmp/x'", 1),
        (b"INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV", 78),
    ],
)
def test_several_statements_and_files_of_the_server_are_refused(sql: bytes, code: int) -> None:
    with pytest.raises(ServerError) as caught:
        _parse(sql)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "sql", [b"", b"INS", b"INSERT", b"INSERT INTO t", b"INSERT INTO t FORMAT", b"INSERT INTO t FORMAT Nat", b"SELECT 1"]
)
def test_more_text_is_awaited_while_a_statement_may_go_on(sql: bytes) -> None:
    assert parse(sql, complete=False, default_format=None) is None
