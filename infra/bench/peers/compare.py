"""All peers, one after the other and all again: the document of `venuecode bench peers`."""

from __future__ import annotations

from collections.abc import Sequence

from infra.bench.figures import Run, text
from infra.bench.peers.catalogue import Launcher, Peer
from infra.bench.peers.ground import prepared
from infra.bench.peers.installation import PeerUnavailableError
from infra.bench.peers.run import run_peer
from infra.bench.report import Document, document
from infra.bench.rounds import tell
from schemas.errors import FatalError, VenuecodeError


def run_peers_bench(
    peers: Sequence[Peer], events: int = 2_000_000, runs: int = 3, statuses: int = 1_000_000, short: int = 100_000
) -> Document:
    """Measure peers by the same job (`infra.bench.peers.contract`).

    Args:
        peers: which; the others are compared with the first.
        events: scans on the full topic.
        runs: rounds; in each of them every peer runs once.
        statuses: persons whose colour a peer holds.
        short: scans for the peers that are too slow for more.

    Returns:
        The document (`infra.bench.report.document`), with `remarks` (what each guarantees) and `not_run` (why not).

    Raises:
        FatalError: the first one could not be measured.
    """
    not_run: dict[str, str] = {}
    launchers: dict[Peer, Launcher] = {}
    for peer in peers:
        try:
            launchers[peer] = peer.install()
        except VenuecodeError as error:
            _give_up(peer, error, not_run)
    found: dict[Peer, list[Run]] = {peer: [] for peer in launchers}
    with prepared(events, short, statuses) as ground:
        for number in range(runs):
            for peer, launcher in launchers.items():
                if peer.title in not_run:
                    continue
                tell(f"round {number + 1} of {runs}: {peer.title}")
                try:
                    run = run_peer(peer, launcher, ground, number)
                except (PeerUnavailableError, FatalError) as error:
                    _give_up(peer, error, not_run)
                    continue
                found[peer].append(run)
                tell(f"  {text(run['events_per_s'])} events_per_s, {text(run['cpu_s_per_million'])} CPU-s per million")
    complete = {peer: each for peer, each in found.items() if peer.title not in not_run}
    if peers[0] not in complete:
        raise FatalError(f"{peers[0].title} was not measured: {not_run[peers[0].title]}")
    parameters = {"events": events, "statuses": statuses}
    if any(peer.short for peer in complete):
        parameters["events for the slow"] = short
    return {
        **document("peers", {peer.title: each for peer, each in complete.items()}, parameters),
        "remarks": {peer.title: peer.guarantee for peer in complete},
        "not_run": not_run,
    }


def _give_up(peer: Peer, error: Exception, not_run: dict[str, str]) -> None:
    not_run[peer.title] = str(error)
    tell(f"  NOT RUN: {peer.title}: {error}")
