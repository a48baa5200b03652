"""How far commits are behind results: worked out of samples."""

from __future__ import annotations

from infra.bench.commit_lag import CommitLag


def lag(*samples: tuple[float, dict[int, int], dict[int, int]]) -> float:
    found = CommitLag()
    for sample in samples:
        found.sample(*sample)
    return found.largest_s


def test_results_that_are_committed_when_they_are_seen_are_not_behind() -> None:
    assert lag((0.0, {0: 5}, {0: 5}), (1.0, {0: 9}, {0: 9}), (9.0, {0: 9}, {0: 9})) == 0


def test_the_lag_counts_from_when_the_first_uncommitted_result_was_seen() -> None:
    assert lag((0.0, {0: 5}, {}), (1.0, {0: 9}, {0: 4}), (1.5, {0: 9}, {0: 5}), (2.0, {0: 9}, {0: 9})) == 1.0
    assert lag((0.0, {0: 5}, {0: 5}), (1.0, {0: 9}, {0: 5}), (1.75, {0: 12}, {0: 8})) == 0.75


def test_every_partition_counts_by_itself() -> None:
    assert lag((0.0, {0: 5, 1: 1}, {0: 5}), (2.0, {0: 50, 1: 1}, {0: 50}), (3.0, {0: 50, 1: 1}, {0: 50, 1: 1})) == 2.0
