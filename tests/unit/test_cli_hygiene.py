"""The command line: help everywhere, a quick start, honest exit codes, errors without tracebacks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from infra.cli import common
from infra.cli.main import _VERBS, build_app
from schemas.errors import RetryableError

HEAVY = ("faust", "chdb", "pandas", "pyarrow", "numpy", "confluent_kafka", "clickhouse_connect", "aiokafka", "jgo")


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{path} {name}")


ALL = dict(commands(get_command(build_app()), "venuecode"))


@pytest.mark.parametrize("path", ALL)
def test_every_command_and_every_option_has_help(path: str) -> None:
    command = ALL[path]
    assert command.help, path
    missing = [parameter.name for parameter in command.params if not getattr(parameter, "help", None)]
    assert not [name for name in missing if name != "help"], f"{path}: no help for {missing}"


@pytest.mark.parametrize("path", ALL)
def test_help_can_be_asked_for_everywhere(path: str) -> None:
    result = CliRunner().invoke(build_app(), [*path.split()[1:], "--help"])
    assert result.exit_code == 0
    assert "--help" in result.stdout


@pytest.mark.parametrize(
    "path", ["platform status", "topics plan", "migrate status", "status show", "doctor", "config show", "schema check"]
)
def test_commands_that_print_data_print_json_on_request(path: str) -> None:
    command = ALL[f"venuecode {path}"]
    assert any("--json" in parameter.opts for parameter in command.params)


def test_starting_the_command_line_imports_nothing_heavy() -> None:
    program = (
        "import sys, json, infra.cli.main as main; main.build_app(); "
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == []


def test_every_verb_is_there() -> None:
    names = {path.split()[1] for path in ALL if len(path.split()) > 1}
    assert names == {verb.rstrip("_") for verb in _VERBS}


def test_the_version_is_told_with_a_verb_or_without_and_nothing_is_run() -> None:
    for arguments in (["--version"], ["--version", "doctor"]):
        result = CliRunner().invoke(build_app(("doctor",)), arguments)
        assert (result.exit_code, result.stdout) == (0, f"venuecode {metadata.version('venuecode')}\n")
    assert "Usage: venuecode" in CliRunner().invoke(build_app(("doctor",)), [], prog_name="venuecode").output


def run(function: object, *arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command("only")(function)  # type: ignore[type-var]
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    return result.exit_code, result.stderr


def test_an_error_of_the_project_is_a_message_and_exit_code_one() -> None:
    @common.friendly_errors
    def failing() -> None:
        raise RetryableError("the broker is away; start it [now]")

    code, text = run(failing)
    assert code == 1
    assert "Error: the broker is away; start it [now]" in text
    assert "Traceback" not in text


def test_ctrl_c_is_exit_code_130() -> None:
    @common.friendly_errors
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert run(interrupted)[0] == 130


def test_a_wrong_option_is_exit_code_two() -> None:
    assert CliRunner().invoke(build_app(("doctor",)), ["doctor", "--no-such-option"]).exit_code == 2


def test_json_is_one_line_and_keeps_other_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    common.print_json({"name": "场所码", "path": Path("x")})
    assert capsys.readouterr().out == '{"name": "场所码", "path": "x"}\n'


def test_schemas_are_exported_where_told_and_a_wrong_version_is_refused(tmp_path: Path) -> None:
    app = build_app(("schema",))
    (tmp_path / "gone.json").write_text("{}")
    result = CliRunner().invoke(app, ["schema", "export", "--directory", str(tmp_path), "--json"])
    assert result.exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == json.loads(result.stdout)["files"]
    checked = CliRunner().invoke(app, ["schema", "check", "--json"])
    assert json.loads(checked.stdout) == {"drift": [], "incompatible": []}
    assert CliRunner().invoke(app, ["schema", "release", "next"]).exit_code == 2
    assert CliRunner().invoke(app, ["schema", "release", "0.1.0"]).exit_code == 1
