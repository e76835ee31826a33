"""The zones that the protocol tests ask, and the one responder that answers for them."""

from __future__ import annotations

import pytest
from support.build import BERLIN, NEW_YORK, PARIS, ROME, config, node, zone
from support.lab import Lab

from geodns.geo.world import World
from geodns.model.config import Config

BIG = [f'"{number:03d} {"x" * 60}"' for number in range(10)]
"""Some 800 octets of TXT: too long for plain UDP, short enough for 1232."""
HUGE = [f'"{number:03d} {"x" * 60}"' for number in range(40)]
"""Some 3 kB of TXT: too long for any UDP reply."""

EXAMPLE = zone(
    steers={"@": "web", "www": "web", "each": "each", "*.steered": "web", "plain": "no-ecs"},
    rrsets={
        "@": {"MX": ["10 mail"], "TXT": ["hello"]},
        "mail": {"A": ["192.0.2.25", "192.0.2.26"], "AAAA": ["2001:db8::25"]},
        "a.b.ent": {"A": ["192.0.2.1"]},
        "*.wild": {"A": ["192.0.2.2"], "TXT": ["wild"]},
        "host.wild": {"MX": ["10 mail"]},
        "x.inner.wild": {"TXT": ["below"]},
        "*.renamed": {"CNAME": ["mail"]},
        "alias": {"CNAME": ["www"]},
        "to-mail": {"CNAME": ["mail"]},
        "chain1": {"CNAME": ["chain2"]},
        "chain2": {"CNAME": ["Chain3"]},
        "chain3": {"CNAME": ["mail"]},
        "across": {"CNAME": ["host.other.test."]},
        "across-missing": {"CNAME": ["nothing.other.test."]},
        "away": {"CNAME": ["www.elsewhere.example."]},
        "dangling": {"CNAME": ["nothing"]},
        "to-wild": {"CNAME": ["any.wild"]},
        "to-cut": {"CNAME": ["www.sub.parent.test."]},
        "loop1": {"CNAME": ["loop2"]},
        "loop2": {"CNAME": ["loop1"]},
        "self": {"CNAME": ["self"]},
        **{f"long{n}": {"CNAME": [f"long{n + 1}"]} for n in range(40)},
        "big": {"TXT": BIG},
        "huge": {"TXT": HUGE},
        "odd": {"TYPE65280": ["\\# 3 010203"]},
    },
    ttl=300,
    negative_ttl=30,
)
OTHER = zone(
    rrsets={"host": {"A": ["192.0.2.77"]}, "below.hidden": {"A": ["192.0.2.78"]}},
    nameservers=["ns.elsewhere.example."],
    ttl=20,
    negative_ttl=3600,
    contact="first.last@example.test",
)
PARENT = zone(
    rrsets={
        "sub": {"NS": ["ns1.sub", "ns2.other.test.", "NS3"], "DS": ["1 13 2 " + "ab" * 32]},
        "ns1.sub": {"A": ["192.0.2.61"], "AAAA": ["2001:db8::61"]},
        "ns3": {"A": ["192.0.2.63"]},
        "child": {"NS": ["ns.elsewhere.example."], "DS": ["2 13 2 " + "cd" * 32]},
        "www": {"A": ["192.0.2.64"]},
        "*": {"TXT": ["wild"]},
    },
    nameservers=["ns.elsewhere.example."],
)
CHILD = zone(rrsets={"www": {"A": ["192.0.2.65"]}}, nameservers=["ns.elsewhere.example."])

NODES = {
    "rome": node(ROME, "198.18.0.1", "2001:db8:1::1"),
    "paris": node(PARIS, "192.12.0.2", "2001:db8:c00c::2"),  # holds the octets c0 0c on purpose
    "berlin": node(BERLIN, "198.18.0.3"),
    "york": node(NEW_YORK, "198.18.0.4", "2001:db8:1::4"),
}
NODE_AT = {"rome": "198.18.0.1", "paris": "192.12.0.2", "berlin": "198.18.0.3"}


def protocol_config() -> Config:
    everyone = list(NODES)
    return config(
        zones={
            "example.test": EXAMPLE | {"steers": EXAMPLE["steers"] | {"plain": PLAIN}},
            "other.test": OTHER,
            "parent.test": PARENT,
            "child.parent.test": CHILD,
            "lost.parent.test": CHILD,
            "hidden.other.test": CHILD,
        },
        nodes=NODES,
        pools={
            "web": {"nodes": everyone},
            "each": {"nodes": everyone, "families": "each"},
        },
    )


PLAIN = {"pool": "web", "ecs": False}


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World, engine: str) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"), tiny_world, protocol_config(), engine=engine)
