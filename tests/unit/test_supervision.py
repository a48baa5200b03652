"""What ends is started again: after a growing pause, a limited number of times, without holding anybody up."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from infra.supervision import Restarted, RestartPolicy, Service, Supervisor
from tests.support.waiting import wait_until

POLICY = RestartPolicy(first_s=1.0, longest_s=4.0, most=4, window_s=100.0)


class Fragile:
    """A service that ends when told to, at a clock that goes when told to."""

    def __init__(self) -> None:
        self.ended: str | None = None
        self.starts = 0
        self.fails = False
        self.now = 0.0
        service = Service("worker", lambda: self.ended, self.start)
        self.supervisor = Supervisor([service], POLICY, clock=lambda: self.now, jitter=lambda: 0.5)

    def start(self) -> None:
        self.starts += 1
        if self.fails:
            raise RuntimeError("no port\nand more")
        self.ended = None

    def comes_back(self) -> None:
        wait_until(lambda: self.supervisor.tick() or not self.supervisor.down, 5, "the service")


@pytest.fixture
def fragile() -> Iterator[Fragile]:
    made = Fragile()
    yield made
    made.supervisor.close()


def test_a_service_that_ends_is_started_again_after_a_pause(fragile: Fragile) -> None:
    assert fragile.supervisor.tick() is False
    fragile.ended = "was ended by SIGKILL"
    assert fragile.supervisor.tick() is True
    assert fragile.supervisor.down == ["worker"]
    fragile.now = 0.9
    fragile.supervisor.tick()
    assert fragile.starts == 0
    fragile.now = 1.0
    fragile.comes_back()
    assert fragile.supervisor.restarts == {"worker": Restarted(1, "was ended by SIGKILL")}
    assert not fragile.supervisor.failures


def test_the_pause_doubles_and_a_service_that_does_not_stay_is_given_up(fragile: Fragile) -> None:
    for number, pause in enumerate((1.0, 2.0, 4.0, 4.0), 1):
        fragile.ended = "ended with exit code 70"
        fragile.supervisor.tick()
        fragile.now += pause - 0.1
        fragile.supervisor.tick()
        assert fragile.supervisor.down
        assert fragile.starts == number - 1
        fragile.now += 0.1
        fragile.comes_back()
        assert fragile.starts == number
    assert not fragile.supervisor.failures
    fragile.ended = "ended with exit code 70"
    fragile.supervisor.tick()
    (failure,) = fragile.supervisor.failures
    assert "worker was given up" in failure
    assert "exit code 70" in failure
    fragile.now += 1000
    fragile.supervisor.tick()
    assert fragile.starts == POLICY.most


def test_old_failures_are_forgotten(fragile: Fragile) -> None:
    for _ in range(3 * POLICY.most):
        fragile.ended = "ended"
        fragile.supervisor.tick()
        fragile.now += POLICY.window_s
        fragile.comes_back()
    assert not fragile.supervisor.failures


def test_a_start_that_fails_counts_as_an_end_and_says_why_in_one_line(fragile: Fragile) -> None:
    fragile.fails = True
    fragile.ended = "ended"
    fragile.supervisor.tick()
    fragile.now += 10
    wait_until(lambda: fragile.supervisor.tick() and fragile.starts == 1, 5, "the failed start to be seen")
    assert fragile.supervisor.restarts["worker"].reason == "no port"
    fragile.fails = False
    fragile.now += 10
    fragile.comes_back()


def test_a_start_that_takes_long_holds_nobody_up_but_the_end() -> None:
    release, under_way = threading.Event(), threading.Event()

    def start() -> None:
        under_way.set()
        release.wait(10)

    supervisor = Supervisor([Service("kafka-1", lambda: "ended", start)], RestartPolicy(first_s=0.0))
    supervisor.tick()
    wait_until(lambda: supervisor.tick() or under_way.is_set(), 5, "the start")
    assert supervisor.tick() is False
    release.set()
    supervisor.close()


def test_a_supervisor_with_a_thread_of_its_own_needs_nobody_to_look() -> None:
    runs = threading.Event()
    supervisor = Supervisor(
        [Service("sink", lambda: None if runs.is_set() else "was ended by SIGKILL", runs.set)],
        RestartPolicy(first_s=0.0),
    )
    supervisor.watch()
    wait_until(lambda: supervisor.restarts and not supervisor.down, 5, "the restart")
    supervisor.close()
    supervisor.close()
    assert supervisor.restarts == {"sink": Restarted(1, "was ended by SIGKILL")}
