"""Random fleets in random health answer random users as the naive oracle allows."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import dns.rcode
import geoip2.database
import pytest
from support import naive, oracle
from support.build import config, node, zone
from support.lab import Lab, addresses_of, question, scope_of
from support.naive import Health
from support.oracle import Oracle, Undecided

from geodns.geo.world import World
from geodns.model.config import Config
from geodns.snapshot.status import Override, Verdict

RESOLVER = "127.0.0.1"
"""A resolver without a place: who is steered by it gets every node as equal."""

PLACES_MAX = 8  # a row names so many; beyond them the order is an approximation
Bodies = dict[str, dict[str, Any]]


class Fleet:
    """Random bodies of nodes and pools; the same seed makes the same fleet."""

    def __init__(self, seed: int, places: int = PLACES_MAX) -> None:
        self.random = random.Random(seed)
        self._points = [self._point() for _ in range(self.random.randint(1, places))]
        count = self.random.randint(1, 40)
        self.nodes: Bodies = {f"n{number}": self._node(number) for number in range(count)}
        self.pools: Bodies = {}
        fallback = None
        for number in range(self.random.choice((1, 1, 2, 3))):
            pool_id = f"p{number}"
            self.pools[pool_id] = self._pool(fallback)
            fallback = pool_id
        self.entry = str(fallback)

    def config(self) -> Config:
        zones = {"example.test": zone({"www": self.entry})}
        return config(zones, self.nodes, self.pools)

    def health(self) -> dict[str, Health]:
        """The health of every address, from almost all well to almost all ill."""
        ill = self.random.choice((0.0, 0.2, 0.5, 0.9, 1.0))
        return {text: self._health(ill) for text in self.addresses()}

    def addresses(self) -> list[str]:
        return [text for body in self.nodes.values() for text in body["addresses"]]

    def _point(self) -> tuple[float, float]:
        random_ = self.random
        return round(random_.uniform(-60, 75), 3), round(random_.uniform(-180, 180), 3)

    def _node(self, number: int) -> dict[str, Any]:
        v4 = [f"198.18.{number}.{host}" for host in range(1, self.random.choice((2, 2, 3)))]
        v6 = [f"2001:db8:{number + 1:x}::{host}" for host in range(1, self.random.choice((2, 3)))]
        addresses = self.random.choice((v4, v4, v6, v4 + v6, v4 + v6, v6 + v4))
        weight = self.random.choice((0, 1, 50, 100, 100, 1000))
        return node(self.random.choice(self._points), *addresses, weight=weight)

    def _pool(self, fallback: str | None) -> dict[str, Any]:
        random_ = self.random
        members = random_.sample(list(self.nodes), random_.randint(1, len(self.nodes)))
        answers = random_.choice((1, 1, 1, 2, 3))
        body: dict[str, Any] = {
            "nodes": members,
            "order": random_.choice(("nearest", "nearest", "nearest", "listed", "equal")),
            "band_percent": random_.choice((0, 5, 30)),
            "band_km": random_.choice((0, 50, 2000)),
            "answers": answers,
            "min_answers": random_.randint(1, answers),
            "families": random_.choice(("near", "each")),
            "spread": random_.choice(("weighted", "weighted", "first")),
            "min_up": random_.choice((1, 1, min(2, len(members)))),
            "all_down": random_.choice(("open", "closed")),
            "weights": {name: random_.choice((0, 7)) for name in members if random_.random() < 0.1},
        }
        return body | ({"fallback": fallback} if fallback else {})

    def _health(self, ill: float) -> Health:
        random_ = self.random
        return Health(
            "down" if random_.random() < ill else random_.choice(("up", "unknown")),
            random_.choice(("none",) * 8 + ("up", "down")),
            random_.choice((255, 255, 255, 128, 0)),
        )


def subnets(random_: random.Random, count: int) -> Iterator[str]:
    """Random /24 and /48, of all the space, special-purpose blocks included."""
    for _ in range(count):
        if random_.random() < 0.7:
            yield f"{random_.randrange(256)}.{random_.randrange(256)}.{random_.randrange(256)}.0/24"
        else:  # global unicast as the registries give it out, past 6to4 and Teredo
            first = random_.choice((0x2400, 0x2600, 0x2800, 0x2A00, 0x2C00))
            first += random_.randrange(0x20)
            yield f"{first:x}:{random_.getrandbits(16):x}:{random_.getrandbits(16):x}::/48"


def spread(lab: Lab, health: dict[str, Health]) -> None:
    """Write the status words that say the same as the oracle's health."""
    for text, state in health.items():
        if (text, None) in lab.slot_of:
            lab.set(
                text,
                Verdict[state.verdict.upper()],
                override=Override[state.override.upper()],
                weight_factor=state.factor,
            )


@pytest.fixture(scope="module")
def reader(default_database: Path) -> Iterator[geoip2.database.Reader]:
    with geoip2.database.Reader(default_database) as opened:
        yield opened


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, world: World) -> Lab:
    return Lab(tmp_path_factory.mktemp("oracle"), world, config())


@pytest.mark.parametrize("module", [naive, oracle])
def test_the_oracle_imports_nothing_from_geodns(module: object) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text())  # type: ignore[attr-defined]
    imported = {
        alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names
    }
    imported |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert not any(name.startswith("geodns") for name in imported)


@pytest.mark.parametrize("seed", range(30))
def test_every_answer_is_one_that_the_oracle_allows(
    lab: Lab, reader: geoip2.database.Reader, seed: int
) -> None:
    fleet = Fleet(seed)
    generation = lab.manifest.generation if lab.manifest else 0
    lab.serve(fleet.config(), acknowledged=generation)
    undecided = 0
    for _ in range(3):
        health = fleet.health()
        spread(lab, health)
        asked = Oracle(fleet.nodes, fleet.pools, health, reader)
        for subnet in subnets(fleet.random, 25):
            for rtype, family in (("A", 4), ("AAAA", 6)):
                try:
                    allowed = asked.outcome(fleet.entry, subnet, family)
                except Undecided:
                    undecided += 1
                    continue
                reply = lab.ask("www.example.test", rtype, subnet, resolver=RESOLVER)
                assert reply.rcode() == dns.rcode.NOERROR
                answer = addresses_of(reply)
                assert allowed.permits(answer), (subnet, rtype, answer, allowed)
                assert bool(reply.authority) is not bool(answer)
                if answer:
                    assert reply.answer[0].ttl == (30 if allowed.outcome.settled else 5)
    assert undecided < 15


@pytest.mark.parametrize("seed", range(100, 106))
def test_whoever_is_within_the_scope_is_answered_alike(
    lab: Lab, reader: geoip2.database.Reader, seed: int
) -> None:
    fleet = Fleet(seed)
    lab.serve(fleet.config())
    spread(lab, fleet.health())
    for subnet in subnets(fleet.random, 20):
        reply = lab.ask("www.example.test", "A", subnet, resolver=RESOLVER, query_id=1)
        scope = scope_of(reply)
        assert scope is not None
        network = ip_network(subnet).supernet(new_prefix=min(scope, ip_network(subnet).prefixlen))
        asked = Oracle(fleet.nodes, fleet.pools, {}, reader)
        if asked.point(subnet) is None:
            continue  # no place: steered by the resolver, or as unknown
        wanted = allowed_or_none(asked, fleet.entry, subnet)
        for other in inside(network, fleet.random, 6):
            if wanted is not None and (found := allowed_or_none(asked, fleet.entry, other)):
                assert found == wanted, (subnet, scope, other)


def allowed_or_none(asked: Oracle, pool_id: str, subnet: str) -> list[list[frozenset[str]]] | None:
    try:
        return asked.outcome(pool_id, subnet, 4).tiers
    except Undecided:
        return None


def inside(network: Any, random_: random.Random, count: int) -> Iterator[str]:
    """Random /24 or /48 within a network."""
    cap = 24 if network.version == 4 else 48
    step = 1 << network.max_prefixlen - cap
    for _ in range(count):
        offset = random_.randrange(network.num_addresses // step) * step
        yield str(ip_network((int(network.network_address) + offset, cap)))


@pytest.mark.parametrize("seed", range(200, 206))
def test_beyond_eight_places_nothing_ill_is_answered_while_anything_healthy_is_left(
    lab: Lab, seed: int
) -> None:
    fleet = Fleet(seed, places=200)
    points = {name: fleet._point() for name in fleet.nodes}
    nodes = {name: node(at, f"198.18.9.{n}") for n, (name, at) in enumerate(points.items())}
    zones = {"example.test": zone({"www": "all"})}
    lab.serve(config(zones, nodes, {"all": {"nodes": list(nodes), "all_down": "closed"}}))
    well = fleet.random.sample(list(nodes), min(2, len(nodes)))
    for name, body in nodes.items():
        lab.set(body["addresses"][0], Verdict.UP if name in well else Verdict.DOWN)
    healthy = {nodes[name]["addresses"][0] for name in well}
    for subnet in subnets(fleet.random, 60):
        answer = addresses_of(lab.ask("www.example.test", "A", subnet, resolver=RESOLVER))
        assert len(answer) == 1
        assert answer <= healthy


def test_equal_packets_are_answered_equally_and_the_message_id_only_draws(lab: Lab) -> None:
    fleet = Fleet(5)
    pools = {"all": {"nodes": list(fleet.nodes), "order": "equal", "families": "each"}}
    pools["one"] = {"nodes": list(fleet.nodes), "order": "listed"}
    zones = {"example.test": zone({"www": "all", "one": "one"})}
    lab.serve(config(zones, fleet.nodes, pools))
    for name in ("www", "one"):
        query = question(f"{name}.example.test", subnet="1.2.3.0/24")
        answers = set()
        for number in range(300):
            query.id = number
            packet = query.to_wire()
            reply = lab.raw(packet, RESOLVER)
            assert reply is not None
            assert reply == lab.raw(packet, RESOLVER)
            answers.add(reply[2:])
        assert (len(answers) > 5) is (name == "www")
        assert (len(answers) == 1) is (name == "one")
