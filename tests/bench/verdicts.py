"""Row verdict: from what a probe is told to the answer that follows, with real HTTP nodes.

Flips: each node says 503 once under a monitor with ``recheck: 0`` and ``rise: 1``, so that this
probe changes the verdict and the next one changes it back; more would be flapping. A flip is
timed from the moment the node had sent that reply
(its send call returned) to the first DNS reply with the new answer, asked every millisecond:
it holds the prober's reading, the verdict, the status word, the worker and one poll.

Kills: the default monitor with checks every second (re-checks included). A kill is timed from
SIGKILL of the node's process, at a random moment, to the first answer without it; a freeze from
SIGSTOP of another's.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tests.bench import nodes as fleet
from tests.bench.ask import POLL_S, Asker
from tests.bench.figures import Figure, short
from tests.bench.nodes import STANDBY, Node
from tests.bench.processes import waited_ms
from tests.bench.server import free_port
from tests.bench.workshop import Workshop

FLIPPERS, FLIP_S = 24, 25.0
PROMISED_FLIP_MS = 20.0
EVERY_PROBE_COUNTS = {"interval_s": 1, "timeout_s": 1, "recheck": 0, "rise": 1}

VICTIMS, FROZEN = 20, 10
INTERVAL_S, TIMEOUT_S = 1.0, 0.5
PROMISED_KILL_S = INTERVAL_S + 1
PROMISED_FREEZE_S = INTERVAL_S + 2 * TIMEOUT_S + 1
"""Source: the issue on health: a reset, and a black hole, to the changed answer."""

CHECKED_EVERY_SECOND = {"interval_s": INTERVAL_S, "timeout_s": TIMEOUT_S}
FIRST_CHECKS_S = 1.5
"""In this time every node has been found up."""


def run(workshop: Workshop) -> list[Figure]:
    """Flips, kills and freezes."""
    return [_flips(workshop), *_kills(workshop)]


def _flips(workshop: Workshop) -> Figure:
    port = free_port()
    flippers = [Node(f"127.0.1.{number + 1}", port, "turns") for number in range(FLIPPERS)]
    with workshop.server(workshop.fresh("flip")) as server, Node(STANDBY, port):
        try:
            for node in flippers:
                node.start()
            monitor = {"type": "http", "port": port, **EVERY_PROBE_COUNTS}
            server.put("document", fleet.watched(flippers, monitor))
            askers = fleet.askers(server, FLIPPERS)
            for asker in askers:
                asker.until(lambda address: address is not None)
            pids = server.pids.values()
            before_ms = waited_ms(pids)
            changes = _changes(askers)
            waited = waited_ms(pids) - before_ms
            replies = [node.replies() for node in flippers]
        finally:
            for node in flippers:
                node.__exit__(None, None, None)
    times_ms = [
        delay_ms
        for node, seen, sent in zip(flippers, changes, replies, strict=True)
        for delay_ms in _delays_ms(node.address, seen, sent)
    ]
    note = f"waited {short(waited / len(times_ms))} ms for a core each"
    return Figure(
        "verdict",
        "probe's reply sent → answer",
        "ms",
        times_ms,
        PROMISED_FLIP_MS,
        judged="p99",
        note=note,
    )


Change = tuple[str, float]
"""The new address, and when it was first seen. Units: seconds of time.monotonic()."""


def _changes(askers: list[Asker]) -> list[list[Change]]:
    """Ask all in turn for a while; for each what it saw change."""
    last = [asker.address() for asker in askers]
    seen: list[list[Change]] = [[] for _ in askers]
    end_s = time.monotonic() + FLIP_S
    while time.monotonic() < end_s:
        for number, asker in enumerate(askers):
            address = asker.address()
            if address is not None and address != last[number]:
                seen[number].append((address, time.monotonic()))
                last[number] = address
        time.sleep(POLL_S)
    return seen


def _delays_ms(
    address: str, changes: list[Change], replies: list[tuple[int, float]]
) -> list[float]:
    """For each change, how long ago the node had last said what makes it."""
    delays = []
    for now, seen_s in changes:
        status = 200 if now == address else 503
        earlier = [sent_s for said, sent_s in replies if said == status and sent_s < seen_s]
        if earlier:  # else a busy machine made a probe time out, which no reply explains
            delays.append((seen_s - earlier[-1]) * 1000)
    return delays


def _kills(workshop: Workshop) -> list[Figure]:
    port = free_port()
    nodes = [Node(f"127.0.3.{number + 1}", port) for number in range(VICTIMS + FROZEN)]
    with workshop.server(workshop.fresh("kill")) as server, Node(STANDBY, port):
        try:
            for node in nodes:
                node.start()
            monitor = {"type": "http", "port": port, **CHECKED_EVERY_SECOND}
            server.put("document", fleet.watched(nodes, monitor))
            askers = fleet.askers(server, len(nodes))
            for asker in askers:
                asker.until(lambda address: address is not None)
            time.sleep(FIRST_CHECKS_S)
            killed = _until_out(nodes[:VICTIMS], askers[:VICTIMS], Node.kill)
            back = _until_back(nodes[:VICTIMS], askers[:VICTIMS], Node.start)
            frozen = _until_out(nodes[VICTIMS:], askers[VICTIMS:], Node.freeze)
        finally:
            for node in nodes:
                node.__exit__(None, None, None)
    return [
        Figure("verdict", "killed node out", "s", killed, PROMISED_KILL_S, judged="max"),
        Figure("verdict", "started node back (rise 2)", "s", back, judged="max"),
        Figure(
            "verdict",
            f"frozen node out (timeout {TIMEOUT_S:g} s)",
            "s",
            frozen,
            PROMISED_FREEZE_S,
            judged="max",
        ),
    ]


def _until_out(
    victims: list[Node], askers: list[Asker], strike: Callable[[Node], float]
) -> list[float]:
    """Strike all within a second, each at a moment of its own; seconds until each is out."""
    due_s = [time.monotonic() + random.uniform(0, 1) for _ in victims]
    struck: dict[int, float] = {}
    out: dict[int, float] = {}
    end_s = time.monotonic() + 15
    while len(out) < len(victims):
        for number, node in enumerate(victims):
            if number not in struck:
                if time.monotonic() >= due_s[number]:
                    struck[number] = strike(node)
            elif number not in out and askers[number].address() == STANDBY:
                out[number] = time.monotonic() - struck[number]
        if time.monotonic() > end_s:
            raise TimeoutError(f"{len(victims) - len(out)} nodes are still in the answers")
        time.sleep(POLL_S)
    return list(out.values())


def _until_back(
    victims: list[Node], askers: list[Asker], revive: Callable[[Node], object]
) -> list[float]:
    """Revive all; seconds until each answers again."""
    since_s = []
    for node in victims:
        since_s.append(time.monotonic())
        revive(node)
    return [
        asker.until(lambda address, node=node: address == node.address) - start_s  # type: ignore[misc]
        for node, asker, start_s in zip(victims, askers, since_s, strict=True)
    ]
