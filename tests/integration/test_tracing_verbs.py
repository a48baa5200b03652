"""`venuecode contacts`, `chain`, `sources`: rules and dwell modes, what answers rest on, and a refusal by size."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from infra.cli.main import build_app
from sinks.clickhouse.target import ClickHouseTarget
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.visit_rows import insert_visits, migrated_database, milliseconds, visit_document
from tests.support.worker_scans import moment, token

pytestmark = pytest.mark.clickhouse

NOON = milliseconds(moment())
SPAN = ("--since", moment(-86_400).isoformat(), "--until", moment(86_400).isoformat())
CASE, FRIEND, LATER, STRANGER = map(token, range(4))


@pytest.fixture
def verb(clickhouse: ClickHouseServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The case is with a friend for five minutes; the friend, afterwards and elsewhere, with somebody else."""
    with migrated_database(clickhouse) as target:
        for name, value in {"PORT": str(target.port), "DATABASE": target.database}.items():
            monkeypatch.setenv(f"VENUECODE_CLICKHOUSE__{name}", value)
        scans = [(CASE, 0, "V-1"), (FRIEND, 20, "V-1"), (CASE, 25, "V-2"), (FRIEND, 40, "V-3"), (LATER, 41, "V-3")]
        client = target.client()
        places = [["V-1", 34.0, 108.0], ["V-2", 34.0001, 108.0], ["V-3", 35.0, 108.0]]  # the first two in one cell
        client.insert("venues", places, column_names=["venue_id", "lat", "lon"])
        insert_visits(
            client,
            (
                visit_document(person, NOON + 60_000 * minute, offset, venue_id=venue)
                for offset, (person, minute, venue) in enumerate(scans)
            ),
        )
        client.close()
        app, runner = (
            build_app(("contacts", "chain", "sources", "trajectory", "windows", "rules", "settle")),
            CliRunner(),
        )
        yield lambda *arguments: runner.invoke(app, [*map(str, arguments)])


def test_a_chain_names_contacts_and_theirs_with_what_it_rests_on_and_is_drawn(verb: Any, tmp_path: Path) -> None:
    picture = tmp_path / "chain.svg"
    done = verb("chain", CASE, *SPAN, "--json", "--plot", picture)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [(link["degree"], link["contact"], link["via"]) for link in found["links"]] == [
        (1, FRIEND, ""),
        (2, LATER, FRIEND),
    ]
    assert (found["rule"], found["dwell"], found["coverage"]["stays"]) == ("any_overlap", "best", 2)
    assert LATER[:8] in picture.read_text()
    text = verb("chain", CASE, *SPAN).stdout
    assert "1 contacts, and 1 people whom only they met." in text
    assert "no proof that nobody was there" in text


def test_whom_a_contact_met_after_their_isolation_is_not_named(verb: Any, tmp_path: Path) -> None:
    file = tmp_path / "isolated.csv"

    def second_degree(at: int) -> list[str]:
        file.write_text(f"person_token,isolated_at\n{FRIEND},{moment(at).isoformat()}\n")
        said = json.loads(verb("chain", CASE, *SPAN, "--isolated", file, "--json").stdout)
        assert said["isolated"] == 1
        return [link["contact"] for link in said["links"] if link["degree"] == 2]

    assert second_degree(41 * 60) == []
    assert second_degree(86_000) == [LATER]
    file.write_text(f"person_token,isolated_at\n{FRIEND}\n")
    refused = verb("chain", CASE, *SPAN, "--isolated", file)
    assert (refused.exit_code, "line 2: write 32 hex digits" in refused.stderr.replace("\n", " ")) == (1, True)
    assert FRIEND not in refused.stderr


def test_nobody_is_named_when_the_answer_would_name_more_people_than_allowed(verb: Any) -> None:
    refused = verb("chain", CASE, *SPAN, "--max-people", "1", "--json")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "would name 2 people, and --max-people allows 1" in refused.stderr
    assert FRIEND not in refused.stderr


def test_how_many_people_a_chain_would_name_is_said_without_naming_anybody(verb: Any) -> None:
    said = json.loads(verb("chain", CASE, *SPAN, "--estimate", "--json").stdout)
    assert {key: said[key] for key in ("people", "at_least", "at_most", "share", "exact")} == {
        "people": 2,
        "at_least": 2,
        "at_most": 2,
        "share": 1,
        "exact": True,
    }
    text = verb("chain", CASE, *SPAN, "--estimate", "--max-people", "1").stdout
    assert "This would name 2 people." in text
    assert FRIEND not in text
    assert verb("chain", STRANGER, *SPAN, "--estimate").stdout.startswith("This would name 0 people.")
    assert verb("chain", CASE, *SPAN, "--estimate", "--csv").exit_code == 2


def test_a_rule_and_a_way_to_end_stays_change_the_answer_and_are_said(verb: Any) -> None:
    said = json.loads(verb("contacts", CASE, *SPAN, "--json").stdout)
    assert [(each["contact"], each["overlap_s"]) for each in said["contacts"]] == [(FRIEND, 300)]
    longer = json.loads(verb("contacts", CASE, *SPAN, "--rule", "who", "--dwell", "default", "--json").stdout)
    assert [each["contact"] for each in longer["contacts"]] == [FRIEND]
    assert longer["contacts"][0]["overlap_s"] > 900
    assert (longer["rule"], longer["coverage"]["assumed_stays"]) == ("who", 2)
    none = json.loads(verb("contacts", CASE, *SPAN, "--rule", "who", "--json").stdout)
    assert none["contacts"] == []
    csv = verb("contacts", STRANGER, *SPAN, "--csv")
    assert len(csv.stdout.splitlines()) == 1
    assert "Rests on 0 stays" in csv.stderr
    assert "no proof that nobody was there" in csv.stderr.replace("\n", " ")


def test_contacts_as_of_the_last_settlement_say_as_of_when_and_are_the_same_where_nothing_came_since(verb: Any) -> None:
    refused = verb("contacts", CASE, *SPAN, "--settled")
    assert (refused.exit_code, "run `venuecode settle`" in refused.stderr.replace("\n", " ")) == (1, True)
    done = json.loads(verb("settle", "--json").stdout)
    assert (done["number"], done["stays"]) == (1, 5)
    said = json.loads(verb("contacts", CASE, *SPAN, "--settled", "--json").stdout)
    assert said["contacts"] == json.loads(verb("contacts", CASE, *SPAN, "--json").stdout)["contacts"]
    assert (said["settled"]["number"], said["settled"]["late_people"]) == (1, 0)
    assert said["settled"]["until"] == done["until"]
    assert "As of the last settlement" in verb("contacts", CASE, *SPAN, "--settled").stdout
    assert verb("contacts", CASE, *SPAN, "--settled", "--dwell", "explicit").exit_code == 2


def test_a_chain_as_of_the_last_settlement_names_the_same_people_at_the_same_first_meetings(verb: Any) -> None:
    refused = verb("chain", CASE, *SPAN, "--settled")
    assert (refused.exit_code, "run `venuecode settle`" in refused.stderr.replace("\n", " ")) == (1, True)
    assert verb("settle").exit_code == 0
    for rule in ("any_overlap", "who"):
        said = json.loads(verb("chain", CASE, *SPAN, "--rule", rule, "--settled", "--json").stdout)
        links = json.loads(verb("chain", CASE, *SPAN, "--rule", rule, "--json").stdout)["links"]
        first = {(link["degree"], link["contact"]): link["first_meeting"] for link in reversed(links)}
        assert {(each["degree"], each["contact"]): each["first_meeting"] for each in said["links"]} == first
        assert said["settled"]["number"] == 1
    shown = verb("chain", CASE, *SPAN, "--settled").stdout
    assert "As of the last settlement" in shown
    assert "people whom only they met" in shown
    refused = verb("chain", CASE, *SPAN, "--settled", "--max-people", "1")
    assert (refused.exit_code, "would name 2 people" in refused.stderr, FRIEND in refused.output) == (1, True, False)
    size = json.loads(verb("chain", CASE, *SPAN, "--settled", "--estimate", "--json").stdout)
    assert (size["people"], size["exact"], size["settled"]["number"]) == (2, True, 1)
    for wrong in (("--dwell", "explicit"), ("--plot", "chain.svg")):
        assert verb("chain", CASE, *SPAN, "--settled", *wrong).exit_code == 2


def test_settling_again_and_again_ends_when_it_is_told_to(verb: Any) -> None:
    command = [sys.executable, "-m", "infra.cli.main", "settle", "--every", "0.1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        numbers = [json.loads(child.stdout.readline())["number"] for _ in range(2)]
        child.send_signal(signal.SIGTERM)
        assert (numbers, child.wait(30)) == ([1, 2], 0)


def test_a_rule_that_has_changed_since_can_be_asked_as_it_was(verb: Any, tmp_path: Path) -> None:
    file = tmp_path / "rules.csv"
    file.write_text(
        "rule_id,name_zh,name_en,place,overlap,min_minutes,sum_over,lookback_days,lookahead_days,indirect_tail,extra,"
        "source_note\nwho,世卫,WHO here,venue_or_trip,interval,600,rolling_24h,2,10,0,,our health office\n"
    )
    assert verb("rules", "add", file).exit_code == 0
    question = ("contacts", CASE, *SPAN, "--dwell", "default", "--json", "--rule")
    found = {name: json.loads(verb(*question, name).stdout)["contacts"] for name in ("who", "who@1", "who@2")}
    assert (found["who"], found["who@2"]) == ([], [])
    assert [(each["contact"], each["rule_version"]) for each in found["who@1"]] == [(FRIEND, 1)]
    everything = json.loads(verb("contacts", CASE, *SPAN, "--dwell", "default", "--all-rules", "--json").stdout)
    assert not [each["rule_id"] for each in everything["contacts"] if "@" in each["rule_id"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rule", "nothing"), "there is no such rule; there are any_overlap"),
        (("--rule", "who", "--hours-clause"), "the rule who is not about cells"),
        (("--all-rules", "--hours-clause"), "leave out --hours-clause"),
        (("--rule", "who@7"), "there is no such version; there are who@1"),
        (("--dwell", "for ever"), "for ever"),
    ],
)
def test_an_unknown_rule_or_way_to_end_stays_is_refused_with_what_there_is(
    verb: Any, arguments: tuple[str, str], said: str
) -> None:
    refused = verb("contacts", CASE, *SPAN, *arguments)
    assert refused.exit_code in (1, 2)
    assert said in refused.stderr


def test_companions_in_a_cell_are_asked_by_their_rule_and_are_not_asked_for_in_a_chain(verb: Any) -> None:
    question = ("contacts", CASE, *SPAN, "--rule", "cn_spacetime_companion", "--json")
    assert verb("settle").exit_code == 0
    for settled in ((), ("--settled",)):
        said = json.loads(verb(*question, *settled).stdout)
        assert [(each["contact"], each["venues"], len(each["cells"])) for each in said["contacts"]] == [
            (FRIEND, ["V-1"], 1)
        ]
        assert (said["rule"], said["hours_clause"]) == ("cn_spacetime_companion", False)
        clause = json.loads(verb(*question, *settled, "--hours-clause").stdout)
        assert (clause["contacts"], clause["hours_clause"]) == ([], True), "nobody was in a cell for 30 hours"
    refused = verb("chain", CASE, *SPAN, "--rule", "cn_spacetime_companion")
    assert (refused.exit_code, "is about cells" in refused.stderr) == (1, True)


def test_sources_are_the_places_that_cases_shared(verb: Any, tmp_path: Path) -> None:
    file = tmp_path / "cases.txt"
    file.write_text(f"{FRIEND}\n{LATER}\n")
    done = verb("sources", CASE, "--cases", file, *SPAN, "--json")
    assert done.exit_code == 0, done.output
    places = json.loads(done.stdout)["places"]
    assert [(place["venue_id"], place["cases"]) for place in places] == [("V-1", 2), ("V-3", 2)]
    alone = verb("sources", CASE, *SPAN)
    assert alone.exit_code == 2
    assert "name two cases at least" in alone.stderr


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        ("SECONDS", "0.000001", "longer than allowed"),
        ("MEMORY_MB", "1", "more memory"),
        ("ROWS_READ", "1", "read more rows"),
        ("ANSWER_ROWS", "1", "more rows in its answer"),
    ],
)
def test_a_question_that_meets_a_limit_is_broken_off_and_says_which_and_how_to_raise_it(
    verb: Any, monkeypatch: pytest.MonkeyPatch, limit: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"VENUECODE_QUESTIONS__{limit}", value)
    refused = verb("trajectory", CASE, *SPAN)
    text = " ".join(refused.stderr.split())
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert said in text
    assert f"VENUECODE_QUESTIONS__{limit} is {float(value):g}. Ask for a shorter span" in text
    assert "--settled" not in text
    for answers_settled in ("contacts", "chain"):
        assert "ask with --settled" in " ".join(verb(answers_settled, CASE, *SPAN).stderr.split())
    monkeypatch.setenv(f"VENUECODE_QUESTIONS__{limit}", "0")
    assert verb("trajectory", CASE, *SPAN).exit_code == 0


def test_all_rules_stand_side_by_side_and_each_names_its_own_contacts(verb: Any) -> None:
    done = verb(
        "contacts", CASE, *SPAN, "--all-rules", "--onset", moment(3600).isoformat(), "--dwell", "default", "--json"
    )
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    under = {contact["rule_id"] for contact in found["contacts"] if contact["contact"] == FRIEND}
    assert {"any_overlap", "who"} <= under
    assert found["coverage"]["stays"] == 2
    text = verb("contacts", CASE, *SPAN, "--all-rules", "--dwell", "default").stdout
    assert FRIEND in text
    assert "people are contacts under some rule: any_overlap 1" in text
    settled = ("contacts", CASE, *SPAN, "--all-rules", "--dwell", "default", "--settled")
    assert verb("settle").exit_code == 0
    said = json.loads(verb(*settled, "--json").stdout)
    to_the_second = json.loads(verb(*settled[:-1], "--json").stdout)["contacts"]
    chained = ("chain", CASE, *SPAN, "--rule", "cn_secondary_contact", "--dwell", "default", "--json")
    people = len({each["contact"] for each in json.loads(verb(*chained).stdout)["links"]})
    ((left_out, number, exact),) = [(each["rule_id"], each["people"], each["exact"]) for each in said["left_out"]]
    assert (left_out, number, exact) == ("cn_secondary_contact", people, True)
    assert {(each["rule_id"], each["contact"]) for each in said["contacts"]} == {
        (each["rule_id"], each["contact"]) for each in to_the_second if each["rule_id"] != left_out
    }
    text = " ".join(verb(*settled).stdout.split())
    assert f"Left out is {left_out}: contacts and theirs are {people} people;" in text
    assert f"`venuecode chain TOKEN --rule {left_out} --settled` says who" in text
    assert verb("contacts", CASE, *SPAN, "--all-rules", "--rule", "who").exit_code == 2
    assert verb("contacts", CASE, *SPAN, "--onset", "2026-01-01").exit_code == 2


def test_a_rule_about_venues_alone_names_the_same_people_out_of_settled_stays(verb: Any) -> None:
    assert verb("settle").exit_code == 0
    asked = ("contacts", CASE, *SPAN, "--rule", "uk_nhs", "--json")
    to_the_second, settled = (json.loads(verb(*asked, *more).stdout) for more in ((), ("--settled",)))
    assert settled["contacts"] == to_the_second["contacts"] != []


def test_sources_say_what_they_rest_on_and_look_back_so_many_days(verb: Any) -> None:
    done = verb("sources", CASE, FRIEND, "--until", moment(86_400).isoformat(), "--days", "2", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [place["venue_id"] for place in found["places"]] == ["V-1"]
    assert found["coverage"]["stays"] == 4
    assert found["since"] == moment(-86_400).isoformat().replace("+00:00", "Z")
    assert "Rests on 4 stays" in verb("sources", CASE, FRIEND, *SPAN).stdout
    assert verb("sources", CASE, FRIEND, *SPAN, "--days", "2").exit_code == 2


def publish_window() -> None:
    """W-1, at V-1 from a minute before the case came until ten minutes after."""
    target = ClickHouseTarget(
        port=int(os.environ["VENUECODE_CLICKHOUSE__PORT"]), database=os.environ["VENUECODE_CLICKHOUSE__DATABASE"]
    )
    client = target.client()
    window = ["W-1", "V-1", moment(-60), moment(600)]
    client.insert("exposure_windows", [window], column_names=["window_id", "venue_id", "starts_at", "ends_at"])
    client.close()


def test_windows_under_a_rule_count_and_name_whom_the_rule_makes_contacts(verb: Any) -> None:
    publish_window()
    entered = json.loads(verb("windows", "--json").stdout)
    assert [(each["window_id"], each["people"]) for each in entered["windows"]] == [("W-1", 1)]
    under = json.loads(verb("windows", "--rule", "any_overlap", "--json").stdout)
    assert [(each["window_id"], each["people"]) for each in under["windows"]] == [("W-1", 1)]
    assert under["stored_from"] == moment().isoformat().replace("+00:00", "Z")
    named = json.loads(verb("windows", "--window", "W-1", "--rule", "any_overlap", "--json").stdout)
    assert [(each["person_token"], each["counted_s"]) for each in named["visitors"]] == [(CASE, 600)]
    assert (named["rule"], named["dwell"], named["people"]) == ("any_overlap", "best", 1)
    text = verb("windows", "--window", "W-1", "--rule", "any_overlap").stdout
    assert CASE in text
    assert "no proof that nobody was there" in text
    assert verb("windows", "--rule", "nothing").exit_code == 1
    assert verb("windows", "--window", "W-2").exit_code == 1
    sizes = [
        json.loads(verb("windows", *which, "--estimate", "--json").stdout)["people"]
        for which in ((), ("--window", "W-1"), ("--rule", "any_overlap"), ("--window", "W-1", "--rule", "any_overlap"))
    ]
    assert sizes == [1, 1, 1, 1]
    plain = json.loads(verb("windows", "--window", "W-1", "--json").stdout)
    assert (plain["people"], plain["entries"], [each["person_token"] for each in plain["visitors"]]) == (1, 1, [CASE])
    assert CASE not in verb("windows", "--rule", "any_overlap").stdout


@pytest.mark.parametrize("rule", [(), ("--rule", "any_overlap"), ("--rule", "uk_nhs", "--dwell", "default")])
def test_windows_name_and_count_the_same_people_out_of_settled_stays(verb: Any, rule: tuple[str, ...]) -> None:
    asked = ("windows", *rule, "--json")
    refused = verb(*asked, "--settled")
    assert refused.exit_code == 1
    assert "run `venuecode settle`" in " ".join(refused.stderr.split())
    assert verb("settle").exit_code == 0
    assert json.loads(verb(*asked, "--settled").stdout)["windows"] == []
    publish_window()
    for which, rows in ((), "windows"), (("--window", "W-1"), "visitors"):
        to_the_second, settled = (json.loads(verb(*asked, *which, *more).stdout) for more in ((), ("--settled",)))
        assert settled[rows] == to_the_second[rows] != []
        assert settled["settled"]["number"] == 1
        size = json.loads(verb(*asked, *which, "--settled", "--estimate").stdout)
        assert (size["people"], size["exact"], size["settled"]["number"]) == (1, True, 1)
    assert "As of the last settlement" in verb("windows", *rule, "--settled").stdout


def test_a_terminal_shows_that_the_question_is_on_its_way(verb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr("infra.cli.waiting.err", Console(file=terminal, force_terminal=True, width=100))
    done = verb("contacts", CASE, *SPAN, "--json")
    assert "asking ClickHouse" in terminal.getvalue()
    assert json.loads(done.stdout)["contacts"], "the answer itself is as it was"
