"""What a library says again and again is said once in a while."""

from __future__ import annotations

import logging

from infra.logging import FewRepeats


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _record(name: str, text: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, __file__, 1, text, arguments, None)


def test_a_repeated_message_of_the_library_passes_once_in_a_while_and_says_how_many_were_left_out() -> None:
    clock = _Clock()
    few = FewRepeats("aiokafka", 10, clock)
    assert few.filter(_record("aiokafka.client", "no node %s", 1))
    assert not any(few.filter(_record("aiokafka.client", "no node %s", node)) for node in (1, 2, 1))
    clock.now += 10
    again = _record("aiokafka.client", "no node %s", 2)
    assert few.filter(again)
    assert again.getMessage() == "no node 2 (3 more since the last)"


def test_another_message_and_another_logger_pass() -> None:
    few = FewRepeats("aiokafka", 10, _Clock())
    assert few.filter(_record("aiokafka", "no node"))
    assert few.filter(_record("aiokafka", "no metadata"))
    assert few.filter(_record("aiokafka.client", "no node"))
    assert all(few.filter(_record("streams.worker", "again")) for _ in range(3))
    assert all(few.filter(_record("aiokafka_not", "again")) for _ in range(3))
