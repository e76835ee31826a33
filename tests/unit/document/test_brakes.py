"""What is too big a change to make without force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geodns.document.brakes import brakes
from geodns.model.config import Config
from geodns.model.node import Location, Node
from geodns.model.pool import Pool
from geodns.model.zone import RRset, Zone


def pool_of(size: int) -> Config:
    """A pool that selects ``size`` of ten nodes by label."""
    nodes = {
        f"n{i}": Node(addresses=(f"192.0.2.{i + 1}",), labels={"in": "yes" if i < size else "no"})
        for i in range(10)
    }
    return Config(nodes=nodes, pools={"p": Pool(select={"in": "yes"})})


@pytest.mark.parametrize(
    ("before", "after", "braked"),
    [
        (10, 10, False),
        (10, 7, False),  # exactly 30 %
        (10, 6, True),
        (6, 5, False),
        (6, 4, True),
        (3, 2, False),  # 33 %, but a single node
        (2, 1, False),
        (1, 0, True),
        (2, 0, True),
        (0, 5, False),
        (0, 0, False),
    ],
)
def test_a_pool_may_lose_one_node_or_thirty_percent_but_not_all(
    before: int, after: int, braked: bool
) -> None:
    found = [(reason.pointer, reason.code) for reason in brakes(pool_of(before), pool_of(after))]
    assert found == [("/pools/p", "brake")] * braked


def test_replacing_nodes_counts_as_removing_them() -> None:
    nodes = {f"n{i}": Node(addresses=(f"192.0.2.{i + 1}",)) for i in range(4)}
    before = Config(nodes=nodes, pools={"p": Pool(nodes=("n0", "n1"))})
    after = Config(nodes=nodes, pools={"p": Pool(nodes=("n2", "n3"))})
    assert [reason.code for reason in brakes(before, after)] == ["brake"]


def test_a_pool_that_goes_altogether_is_no_brake() -> None:
    assert brakes(pool_of(5), Config()) == []


def zone_with(*owners: str) -> Config:
    rrsets = {("z.example", owner, "A"): RRset(values=("192.0.2.1",)) for owner in owners}
    return Config(zones={"z.example": Zone(nameservers=("ns.example",))}, rrsets=rrsets)


@pytest.mark.parametrize("after", [zone_with(), Config()], ids=["emptied", "removed"])
def test_emptying_a_zone_is_braked(after: Config) -> None:
    found = [(reason.pointer, reason.value) for reason in brakes(zone_with("a", "b"), after)]
    assert found == [("/zones/z.example", 2)]


def test_removing_most_of_a_zone_or_an_empty_one_is_no_brake() -> None:
    assert brakes(zone_with("a", "b", "c"), zone_with("a")) == []
    assert brakes(zone_with(), Config()) == []


def test_a_pool_that_loses_nodes_is_held_however_many_records_change_beside() -> None:
    before = fleet()
    records = {("example.com", f"r{i}", "A"): RRset(values=("192.0.2.1",)) for i in range(20)}
    nodes = {name: node for name, node in before.nodes.items() if name not in ("n0", "n1")}
    after = replace(before, nodes=nodes, rrsets={**before.rrsets, **records})
    assert [reason.code for reason in brakes(before, after)] == ["brake"]


def fleet() -> Config:
    node = Node(addresses=("192.0.2.1",), location=Location(lat=1, lon=2), labels={"x": "y"})
    return Config(
        zones={"example.com": Zone(nameservers=("ns.example.net",))},
        pools={"web": Pool(select={"x": "y"})},
        nodes={f"n{i}": node for i in range(4)},
    )
