"""Errors, credentials, forms and addresses of the ClickHouse server."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.embedded.clickhouse.auth import Credentials
from infra.embedded.clickhouse.cityhash import cityhash128
from infra.embedded.clickhouse.codecs import choose_encoding, decoder_for
from infra.embedded.clickhouse.errors import ServerError
from infra.embedded.clickhouse.lock import DirectoryLock
from infra.embedded.clickhouse.multipart import parse_form
from infra.embedded.clickhouse.request import parse_address, parse_request
from schemas.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "code", "status", "message"),
    [
        (
            "Code: 60. DB::Exception: Unknown table 't'. (UNKNOWN_TABLE)",
            60,
            404,
            "Code: 60. DB::Exception: Unknown table 't'. (UNKNOWN_TABLE)",
        ),
        (
            "x Code: 73. DB::Exception: Code: 73. DB::Exception: Unknown format (F) (version 1.2.3) (UNKNOWN_FORMAT) "
            "(version 26.9.2.1). (UNKNOWN_FORMAT)",
            73,
            404,
            None,
        ),
        ("Code: 62. DB::Exception: Syntax error (SYNTAX_ERROR)", 62, 400, None),
        ("Code: 159. DB::Exception: Timeout (TIMEOUT_EXCEEDED)", 159, 408, None),
        ("Code: 395. DB::Exception: thrown (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)", 395, 500, None),
        ("something odd", 1002, 500, "Code: 1002. DB::Exception: something odd (UNKNOWN_EXCEPTION)"),
    ],
)
def test_an_engines_error_becomes_code_status_and_text(text: str, code: int, status: int, message: str | None) -> None:
    error = ServerError.from_engine(text)
    assert (error.code, error.http_status) == (code, status)
    assert error.message.startswith(f"Code: {code}. DB::Exception: ")
    assert "version" not in error.message
    if message is not None:
        assert error.message == message
    assert error.render("26.9").endswith(b" (version 26.9 (official build))\n")


def _basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("names", "headers", "allowed"),
    [
        ({}, _basic("u:p:q"), True),
        ({}, _basic("u:x"), False),
        ({}, _basic("x:p:q"), False),
        ({}, {"authorization": "Basic !"}, False),
        ({}, {"authorization": "Bearer abc"}, False),
        ({"user": "u", "password": "p:q"}, {}, True),
        ({}, {"x-clickhouse-user": "u", "x-clickhouse-key": "p:q"}, True),
        ({"user": "u", "password": "p:q"}, {"x-clickhouse-user": "u"}, False),
        ({}, {}, False),
    ],
)
def test_credentials_come_in_three_ways(names: dict[str, str], headers: dict[str, str], allowed: bool) -> None:
    credentials = Credentials("u", "p:q")
    if allowed:
        credentials.check(names, headers)
        return
    with pytest.raises(ServerError, match=r"Code: 516\."):
        credentials.check(names, headers)


def test_without_a_password_only_the_user_counts() -> None:
    Credentials().check({}, {})
    Credentials().check({"password": "anything"}, {})
    with pytest.raises(ServerError):
        Credentials().check({"user": "somebody"}, {})


def test_a_password_never_shows_in_a_representation() -> None:
    assert "secret" not in repr(Credentials("u", "secret"))


def test_a_form_keeps_the_bytes_of_its_files() -> None:
    body = (
        b'--X\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n'
        b'--X\r\nContent-Disposition: form-data; name="t"; filename="a.bin"\r\nContent-Type: a/b\r\n\r\n'
        b"\x00\r\n--\xff\r\n\r\n--X--\r\n"
    )
    form = parse_form('multipart/form-data; boundary="X"', body)
    assert form.fields == {"query": "SELECT 1"}
    assert form.files == {"t": b"\x00\r\n--\xff\r\n"}
    assert form.tables({"t_types": "UInt8, Tuple(a String, b Int8)"})[0].structure == (
        "_1 UInt8, _2 Tuple(a String, b Int8)"
    )
    with pytest.raises(ServerError, match="t_structure"):
        form.tables({})


def test_an_address_is_sorted_into_query_parameters_and_settings() -> None:
    names = parse_address(b"query=SELECT+%27%E5%90%8D%FF%27&param_x=1&max_threads=2&async_insert=1&database=d")
    request = parse_request("POST", names, {"x-clickhouse-format": "CSV"})
    assert request.query == b"SELECT '\xe5\x90\x8d\xff'"
    assert request.params == {"x": "1"}
    assert request.settings == {"max_threads": "2"}
    assert (request.database, request.default_format) == ("d", "CSV")
    assert parse_request("GET", names, {}).settings["readonly"] == "2"


@pytest.mark.parametrize("address", [b"session_timeout=long", b"session_timeout=99999", b"role=admin"])
def test_what_cannot_be_meant_is_refused(address: bytes) -> None:
    with pytest.raises(ServerError):
        parse_request("POST", parse_address(address), {})


def test_encodings_are_chosen_in_the_clients_order() -> None:
    assert choose_encoding("br;q=1.0, zstd, gzip") == "zstd"
    assert choose_encoding("gzip;q=0, deflate") == "deflate"
    assert choose_encoding("br") is None
    assert choose_encoding("") is None
    with pytest.raises(ServerError, match="Unknown compression"):
        decoder_for("br")


@pytest.mark.parametrize(
    ("content", "checksum"),
    [
        (b"", "2b9ac064fc9df03d291ee592c340b53c"),
        (b"abc", "fe48775795f10f907e0db2556317a913"),
        (b"x" * 15, "a4e7cded3e0ee490260b38f419520f9e"),
        (b"y" * 100, "d8a45a0a9f8eee98a3fb771cc6a68f26"),
        (bytes(range(256)) * 3, "7159c62ab6f9e5df0fcc5ecc5cfde705"),
    ],
)
def test_checksums_are_those_of_cityhash_1_0_2(content: bytes, checksum: str) -> None:
    # The values are the package clickhouse-cityhash's.
    assert cityhash128(content).hex() == checksum


def test_a_directory_has_one_owner_and_a_dead_owner_is_none(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    lock.acquire()
    with pytest.raises(ConfigurationError, match=rf"in use by another ClickHouse server \(process {os.getpid()}\)"):
        DirectoryLock(tmp_path).acquire()
    lock.release()
    code = (
        "import os, sys; from pathlib import Path; from infra.embedded.clickhouse.lock import DirectoryLock\n"
        "DirectoryLock(Path(sys.argv[1])).acquire(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    again = DirectoryLock(tmp_path)
    again.acquire()
    again.release()
