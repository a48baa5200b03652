"""The offset ledger against a model: never past unfinished work, never backwards, whatever the order."""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from streams.batching.ledger import OffsetLedger, Ticket

PARTITIONS = st.integers(0, 2)


class LedgerMachine(RuleBasedStateMachine):
    """Fetches, finishes in any order, moves back, revokes; the model knows every single offset."""

    tickets: Bundle[Ticket[int]] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.ledger: OffsetLedger[int] = OffsetLedger()
        self.position = dict.fromkeys(range(3), 0)
        self.unfinished: dict[int, dict[int, Ticket[int]]] = {partition: {} for partition in range(3)}
        self.highest: dict[int, int] = {}
        self.committed: dict[int, int] = {}
        self.fetched: dict[int, set[int]] = {partition: set() for partition in range(3)}
        self.finished: dict[int, set[int]] = {partition: set() for partition in range(3)}

    def _fetch(self, partition: int, first: int, length: int) -> Ticket[int]:
        ticket = self.ledger.fetched(partition, first, first + length - 1)
        for offset in range(first, first + length):
            self.unfinished[partition][offset] = ticket
            self.fetched[partition].add(offset)
        self.position[partition] = first + length
        return ticket

    @rule(target=tickets, partition=PARTITIONS, hole=st.integers(0, 5), length=st.integers(1, 50))
    def fetch(self, partition: int, hole: int, length: int) -> Ticket[int]:
        position = self.position[partition]
        # What was a record before a crash is one after it: no hole is there.
        known = min((offset for offset in self.fetched[partition] if offset >= position), default=position + hole)
        return self._fetch(partition, min(position + hole, known), length)

    @rule(target=tickets, partition=PARTITIONS, back=st.integers(1, 60), length=st.integers(1, 50))
    def move_back_and_fetch(self, partition: int, back: int, length: int) -> Ticket[int]:
        first = max(self.position[partition] - back, self.committed.get(partition, 0))
        for offset in [offset for offset in self.unfinished[partition] if offset >= first]:
            del self.unfinished[partition][offset]
        return self._fetch(partition, first, length)

    @rule(ticket=consumes(tickets))
    def finish(self, ticket: Ticket[int]) -> None:
        self.ledger.done(ticket)
        pending = self.unfinished[ticket.partition]
        for offset in [offset for offset, held in pending.items() if held is ticket]:
            del pending[offset]
            self.finished[ticket.partition].add(offset)

    @rule(partition=PARTITIONS)
    def revoke_and_assign(self, partition: int) -> None:
        """Another worker may have moved it anywhere; here it comes back where it was committed."""
        self.highest.pop(partition, None)
        start = self.committed.get(partition, 0)
        self.ledger.forget([partition])
        self.unfinished[partition].clear()
        self.position[partition] = start
        assert self.ledger.committable(partition) is None

    @rule()
    def crash(self) -> None:
        """The process dies; another reads on from what was committed, and knows nothing of the tickets."""
        for partition in range(3):
            committed = self.committed.get(partition, 0)
            self.highest.pop(partition, None)
            lost = {offset for offset in self.fetched[partition] - self.finished[partition] if offset < committed}
            assert not lost, "committed past what nobody finished: after the crash nobody reads it again"
            self.unfinished[partition].clear()
            self.position[partition] = committed
        self.ledger = OffsetLedger()
        assert all(self.ledger.committable(partition) is None for partition in range(3))

    @invariant()
    def commits_neither_past_unfinished_work_nor_backwards(self) -> None:
        for partition in range(3):
            offset = self.ledger.committable(partition)
            if offset is None:
                continue
            assert offset <= min(self.unfinished[partition], default=offset)
            assert offset <= self.position[partition]
            assert offset >= self.highest.get(partition, 0)
            self.highest[partition] = self.committed[partition] = offset

    def teardown(self) -> None:
        """Whatever happened: once all that was handed out is finished, all of it may be committed."""
        for partition, pending in self.unfinished.items():
            fetched = bool(pending)
            for ticket in list(pending.values()):
                self.ledger.done(ticket)
            if fetched:
                assert self.ledger.committable(partition) == self.position[partition]

    @invariant()
    def everything_finished_is_committable(self) -> None:
        for partition in range(3):
            if not self.unfinished[partition] and self.ledger.committable(partition) is not None:
                assert self.ledger.committable(partition) == self.position[partition]


RUNS = int(os.environ.get("LEDGER_RUNS", "200"))
"""`make faults` asks for 10,000."""

LedgerMachine.TestCase.settings = settings(max_examples=RUNS, stateful_step_count=40)
TestLedger = LedgerMachine.TestCase
