"""The peers' benchmark: the same verdicts, pinned installations, honest gaps."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bench.peers.catalogue import PEERS, chosen
from infra.bench.peers.contract import DECISIONS, Task, read_colours
from infra.bench.peers.flink.statements import script
from infra.bench.peers.installation import HERE
from infra.bench.peers.outputs import Digest, Verdict, digest
from infra.bench.peers.tree import ProcessTree
from infra.bench.report import document, markdown
from infra.embedded.kafka.pins import read_pins
from schemas.errors import ConfigurationError
from streams.rules import RULES

REQUIREMENTS = sorted(HERE.glob("*/requirements.txt"))
VERDICTS = st.lists(
    st.builds(
        Verdict, st.text("0123456789abcdef", min_size=1), st.sampled_from(list(DECISIONS.values())), st.just("red")
    )
)


@given(VERDICTS, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_repeats_do(verdicts: list[Verdict], random: object) -> None:
    shuffled = list(verdicts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert digest(verdicts) == digest(shuffled)
    if verdicts:
        assert digest([*verdicts, verdicts[0]]) != digest(verdicts)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ([Verdict("1", "admit", "green")], "2 scans were decided with 1 records"),
        ([Verdict("1", "admit", "green")] * 2, "differ"),
        ([Verdict("1", "admit", "green"), Verdict("2", "admit", "red")], "differ"),
    ],
)
def test_another_output_is_told_apart(other: Sequence[Verdict], says: str) -> None:
    expected = digest([Verdict("1", "admit", "green"), Verdict("2", "isolate", "red")])
    assert says in (digest(other).differs_from(expected) or "")
    assert expected.differs_from(Digest(expected.records, expected.value)) is None


def test_python_peers_decide_by_the_products_rules() -> None:
    assert {colour: rule.decision for colour, rule in RULES.rules.items()} == dict(DECISIONS)


@pytest.mark.parametrize("source", ["kafka_streams/Job.java", "flink/DecisionOf.java"])
def test_java_peers_decide_by_the_products_rules(source: str) -> None:
    job = (HERE / source).read_text()
    found = re.search(r"DECISIONS =\s*Map\.of\((.*?)\);", job, re.DOTALL)
    assert found is not None
    words = re.findall(r'"(\w+)"', found[1])
    assert dict(zip(words[::2], words[1::2], strict=True)) == dict(DECISIONS)


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.parent.name)
def test_requirements_are_pinned_with_hashes_and_name_no_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index|--extra|--find|-f)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert blocks
    for block in blocks:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_what_is_asked_for_is_what_is_locked() -> None:
    assert {path.parent.name for path in REQUIREMENTS} == {
        "bare",
        "bytewax",
        "databases",
        "faust",
        "pathway",
        "pyflink",
        "quix",
    }
    for path in REQUIREMENTS:
        locked = path.read_text()
        for line in path.with_suffix(".in").read_text().split():
            assert re.sub(r"\[.*]", "", line) in locked


@pytest.mark.parametrize("folder", ["compiler", "flink", "kafka_streams"])
def test_jars_are_pinned(folder: str) -> None:
    assert read_pins(HERE / folder / "jars.sha256")


def test_the_worker_always_runs_and_unknown_peers_are_refused() -> None:
    assert [peer.name for peer in chosen("quix, bytewax")] == [PEERS[0].name, "quix", "bytewax"]
    assert chosen("") == PEERS
    with pytest.raises(ConfigurationError, match="no such peer"):
        chosen("quix,flik")


def test_a_peer_that_did_not_run_is_in_the_table_with_the_reason() -> None:
    found = {
        **document("peers", {"ours": [{"events_per_s": 10.0}], "theirs": [{"events_per_s": 5.0}]}, {}),
        "remarks": {"ours": "at least once"},
        "not_run": {"another": "no wheel for this Python\nand more"},
    }
    text = markdown(found)
    assert "| ours | 10 |  | at least once |" in text
    assert "| theirs | 5 | 2 |  |" in text
    assert "- **not run**: another: no wheel for this Python\n" in text


def test_colours_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "colours"
    file.write_text("aa\tred\nbb\tgreen\n")
    assert read_colours(str(file)) == {"aa": "red", "bb": "green"}


def test_flinks_script_has_settings_before_statements() -> None:
    parts = [part.strip() for part in script(Task("host:1", "in", "out", "file", "group")).split(";")]
    kinds = [part.split()[0] for part in parts if part]
    assert kinds == ["SET"] * kinds.count("SET") + ["CREATE", "CREATE", "INSERT"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the peers are measured on Linux only")
def test_a_tree_counts_its_root() -> None:
    tree = ProcessTree(os.getpid())
    assert tree.look() > 0
    assert tree.peak_rss_mb > 1
