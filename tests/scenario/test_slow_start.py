"""A node back from the dead is given its users little by little."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.nodes import HttpNode, http_nodes
from support.server import Server, free_port, running_server, until

from .conftest import NAMESERVERS

BACK, STEADY = "127.0.1.1", "127.0.1.2"
OVER_S = 10.0
DRAWS = 200
"""For each point of the curve: a share of one half is then seen within 0.14, four deviations."""


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[tuple[Server, dict[str, HttpNode]]]:
    """Two nodes in one place, by weight; ``slow`` starts them slowly, ``quick`` does not ask."""
    port = free_port(BACK)
    here = {"lat": 51.5, "lon": -0.1}
    web = {"nodes": ["back", "steady"], "monitor": "web"}
    document = {
        "zones": {
            "example.test": {"nameservers": NAMESERVERS, "steers": {"www": {"pool": "slow"}}}
        },
        "monitors": {"web": {"type": "http", "port": port, "interval_s": 1, "timeout_s": 0.5}},
        "pools": {"slow": web | {"slow_start_s": OVER_S}, "quick": web},
        "nodes": {
            "back": {"addresses": [BACK], "location": here},
            "steady": {"addresses": [STEADY], "location": here},
        },
    }
    nodes = http_nodes({"back": BACK, "steady": STEADY}, port)
    with nodes as running, running_server(tmp_path) as server:
        server.apply(document)
        until(lambda: states(server) == {"up"}, "not both nodes came up")
        yield server, running


def test_a_node_back_from_the_dead_gets_a_growing_share(
    twins: tuple[Server, dict[str, HttpNode]],
) -> None:
    server, nodes = twins
    assert 0.36 < share(server) < 0.64
    nodes["back"].stop()
    until(lambda: share(server, 20) == 0, "it is still answered")
    nodes["back"].start()
    until(lambda: states(server) == {"up"}, "it did not come back")
    returned_s = time.monotonic()
    curve = []
    while (at_s := time.monotonic() - returned_s) < OVER_S:
        curve.append((at_s / OVER_S, share(server)))
        time.sleep(0.2)
    for at, seen in curve:
        weight = 0.1 + 0.9 * at  # of 1, and the other's is 1
        assert abs(seen - weight / (weight + 1)) < 0.2, f"{seen} at {at}"
    third = len(curve) // 3
    first, last = (
        sum(seen for _, seen in part) / third for part in (curve[:third], curve[-third:])
    )
    assert first < 0.25
    assert last > first + 0.1
    until(lambda: 0.45 < share(server, 1000) < 0.55, "it did not get its whole share")


def share(server: Server, draws: int = DRAWS) -> float:
    """How often the node that was away is the answer; every message has an ID of its own."""
    found = Counter(
        address for _ in range(draws) for address in server.addresses("www.example.test")
    )
    return found[BACK] / draws


def states(server: Server) -> set[str]:
    return {target["state"] for target in server.api("GET", "status")["targets"]}
