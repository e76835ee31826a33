"""Whom random fleets tell apart: by subnet, autonomous system and place; and how."""

from __future__ import annotations

import random
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

Bodies = dict[str, Any]

GEOS = (
    *("AF", "AN", "AS", "EU", "NA", "OC", "SA", "EU27", "EEA", "unknown"),
    *("EU-DE", "EU-IT", "EU-FR", "EU-GB", "AS-JP", "AS-CN", "AS-IN", "SA-BR", "AF-ZA", "OC-AU"),
    *("NA-US", "NA-CA", "NA-US-CA", "NA-US-NY", "NA-US-TX", "OC-AU-NSW"),
)
MEASURED = [code for code in GEOS if "-" in code]
ASNS = range(64_496, 64_512)
"""Reserved for documentation (RFC 5398)."""

LENGTHS4 = (3, 8, 12, 16, 17, 19, 21, 24, 24, 25, 30, 32)
LENGTHS6 = (3, 12, 20, 32, 40, 48, 49, 56, 64)
SPECIAL = ("10.0.0.0/8", "10.1.2.0/24", "192.168.0.0/17", "127.0.0.0/8", "64:ff9b::/64", "fc00::/8")
SPECIAL += ("2002:808::/32", "2002::/16", "2001::/32", "::/64", "2001:db8::/40")


class Users:
    """Subnets that a fleet has something to say of, so that packets can come from them."""

    def __init__(self, rng: random.Random, *, asns: bool) -> None:
        self._rng = rng
        self._asns = asns
        self.subnets: list[str] = []

    def matchers(self, count: int) -> Iterator[Bodies]:
        """So many that have nothing in common."""
        rng = self._rng
        geos, asns = rng.sample(GEOS, len(GEOS)), rng.sample(ASNS, len(ASNS))
        subnets = list(dict.fromkeys(self._subnet() for _ in range(30 * count)))
        self.subnets += subnets
        for _ in range(count):
            body: Bodies = {}
            for kind, left in (("geos", geos), ("asns", asns), ("subnets", subnets)):
                if left and rng.random() < 0.5 and (self._asns or kind != "asns"):
                    share = rng.randint(1, 4 if kind != "subnets" else 30)
                    body[kind] = [left.pop() for _ in range(min(share, len(left)))]
            yield body or {"subnets": [subnets.pop()]}

    def rules(self, pools: list[str]) -> list[Bodies]:
        """Rules of one steer."""
        rng = self._rng
        count = rng.choice((0, 1, 3, 8))
        led = [matchers | chosen(rng, pools) for matchers in self.matchers(count)]
        return [rule | ({"fence": True} if rng.random() < 0.4 else {}) for rule in led]

    def networks(self) -> Bodies:
        """Places known better than the database knows them."""
        rng = self._rng
        subnets = list(dict.fromkeys(self._subnet() for _ in range(rng.choice((0, 0, 3, 40)))))
        self.subnets += subnets
        networks: Bodies = {}
        while subnets:
            here = [subnets.pop() for _ in range(min(len(subnets), rng.randint(1, 9)))]
            location = {"lat": rng.randrange(-60, 70), "lon": rng.randrange(-180, 180)}
            networks[f"net{len(networks)}"] = {"subnets": here, "location": location}
        return networks

    def latencies(self, nodes: list[str]) -> Bodies:
        """One table of round trips."""
        rng = self._rng
        froms = [*rng.sample(MEASURED, 6), *(self._subnet() for _ in range(12))]
        if self._asns:
            froms += [f"AS{asn}" for asn in rng.sample(ASNS, 4)]
        near = rng.sample(nodes, min(len(nodes), 12))
        rows = [
            [source, node, round(rng.uniform(1, 80), 1), rng.randint(1, 99)]
            for source in dict.fromkeys(froms)
            for node in near
            if rng.random() < 0.7
        ]
        self.subnets += [source for source in froms if "/" in source]
        return {"rtt": {"rows": rows or [["EU-DE", near[0], 5, 1]]}}

    def restrict(self, node: Bodies) -> None:
        """Let a node serve some only, or refuse some, but not all whom it serves."""
        rng = self._rng
        [serves], [refuses] = self.matchers(1), self.matchers(1)
        if rng.random() < 0.2:
            node["serves"] = serves
        if rng.random() < 0.2 and not ("serves" in node and serves.keys() & refuses.keys()):
            node["refuses"] = refuses

    def _subnet(self) -> str:
        rng = self._rng
        if self.subnets and rng.random() < 0.2:  # within one that there is, or around it
            network = ip_network(rng.choice(self.subnets))
            lengths = LENGTHS4 if network.version == 4 else LENGTHS6
            return _prefix(int(network.network_address), network.version, rng.choice(lengths))
        draw = rng.random()
        if draw < 0.1:
            return rng.choice(SPECIAL)
        if draw < 0.7:
            return _prefix(rng.getrandbits(32), 4, rng.choice(LENGTHS4))
        high = rng.choice((0x2000, 0x2400, 0x2600, 0x2A00)) << 112
        return _prefix(high | rng.getrandbits(116), 6, rng.choice(LENGTHS6))


def chosen(rng: random.Random, pools: list[str]) -> Bodies:
    """A pool, or a split of some."""
    if rng.random() < 0.6:
        return {"pool": rng.choice(pools)}
    arms = rng.sample(pools, rng.randint(1, len(pools)))
    return {"split": {**{arm: rng.choice((0, 1, 5, 95, 1000)) for arm in arms}, arms[0]: 7}}


def address_in(rng: random.Random, subnet: str) -> tuple[int, bytes]:
    """Family (as ECS counts) and octets of an address within a subnet, or just beside it."""
    network = ip_network(subnet)
    bits = network.max_prefixlen
    value = int(network.network_address) | rng.getrandbits(bits - network.prefixlen or 1)
    if rng.random() < 0.2:
        value ^= 1 << bits - network.prefixlen
    value &= (1 << bits) - 1
    return (1, value.to_bytes(4, "big")) if bits == 32 else (2, value.to_bytes(16, "big"))


def _prefix(value: int, version: int, length: int) -> str:
    bits = 32 if version == 4 else 128
    value = value >> bits - length << bits - length
    return f"{IPv4Address(value) if version == 4 else IPv6Address(value)}/{length}"
