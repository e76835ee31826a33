"""Random documents and geo data from a seed: all that steering knows, in few and hot places.

Imports nothing from geodns: what comes out are plain dictionaries.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from support.interpreter import Place

HOT4 = [0x01020000, 0x0A000000, 0x50000000, 0x643F8000, 0x64400000, 0xC6120000, 0xDFFFF000]
HOT6 = [0x2001 << 48, 0x2001_0200 << 32, 0x2002_0102 << 32, 0x2A00 << 48, 0x2A00_0001 << 32]
"""Where networks lie: around special-purpose blocks, 6to4 and Teredo, and elsewhere."""

CODES = [
    ("EU", "IT", "62"), ("EU", "IT", "25"), ("EU", "FR", ""), ("EU", "NO", "03"), ("EU", "CH", ""),
    ("NA", "US", "CA"), ("NA", "US", ""), ("AS", "JP", "13"), ("EU", "TR", ""), ("EU", "", ""),
    ("", "", ""),
]  # fmt: skip
"""Places of users; this database has Turkey in Europe, and the model has it in Asia."""
GEOS = [
    "EU", "NA", "AS", "EU-IT", "EU-IT-62", "EU-FR", "EU-NO", "EU-CH", "NA-US", "NA-US-CA", "AS-JP",
    "AS-TR", "EU27", "EEA", "unknown",
]  # fmt: skip
COUNTRIES = [code for code in GEOS if "-" in code]
ASNS = [64500, 64501, 64502, 4_200_000_000]
EDGES = [(90.0, 0.0), (-90.0, 17.5), (0.0, 180.0), (12.5, -180.0), (89.999, -179.999)]

Body = dict[str, Any]


@dataclass
class Setting:
    """Everything that one run is about. Shape: ``default`` is latitude and longitude."""

    seed: int
    document: Body
    geo: list[tuple[str, Place]]
    asns: list[tuple[str, int]]
    default: tuple[float, float] | None
    distrusted: list[str]
    direct: bool
    notes: list[str] = field(default_factory=list)


def make_setting(seed: int) -> Setting:
    """The setting of one seed."""
    return _Maker(random.Random(seed), seed).setting()


def prefix(r: random.Random, family: int, shortest: int, longest: int) -> str:
    """A subnet in a hot place."""
    length = r.randint(shortest, longest)
    if family == 4:
        value = r.choice(HOT4) + r.getrandbits(r.choice([8, 13, 17]))
        return str(IPv4Network((value >> 32 - length << 32 - length, length)))
    value = r.choice(HOT6) + r.getrandbits(r.choice([10, 18, 36]))
    return str(IPv6Network((value >> 64 - length << 128 - length, length)))


def point(r: random.Random, digits: int) -> tuple[float, float]:
    """A point on earth, some of them where maps end."""
    if r.random() < 0.05:
        return r.choice(EDGES)
    return round(r.uniform(-85, 85), digits), round(r.uniform(-180, 180), digits)


class _Maker:
    def __init__(self, r: random.Random, seed: int) -> None:
        self.r = r
        self.seed = seed

    def setting(self) -> Setting:
        r = self.r
        places = [
            Place(*codes, point(r, 4), coarse=r.random() < 0.2)
            for codes in CODES
            for _ in range(r.choice([1, 1, 2]))
        ]
        geo4 = {prefix(r, 4, 8, 24): r.choice(places) for _ in range(20)}
        geo6 = {prefix(r, 6, 20, 48): r.choice(places) for _ in range(14)}
        asns4 = {prefix(r, 4, 10, 28): r.choice(ASNS) for _ in range(10)}
        asns6 = {prefix(r, 6, 20, 60): r.choice(ASNS) for _ in range(6)}
        return Setting(
            self.seed,
            self.document(),
            [*geo4.items(), *geo6.items()],
            [*asns4.items(), *asns6.items()],
            point(r, 2) if r.random() < 0.25 else None,
            ["9.9.9.9"],
            direct=r.random() < 0.6,
        )

    def document(self) -> Body:
        r = self.r
        self.nodes = {f"n{i}": self.node(i) for i in range(r.choice([3, 6, 9, 13, 20]))}
        for i in range(1, len(self.nodes), 3):  # some stand together, most on the same terms
            for field_ in (
                "location",
                *(("serves", "refuses", "bias") if r.random() < 0.7 else ()),
            ):
                theirs = self.nodes[f"n{i - 1}"]
                self.nodes[f"n{i}"].pop(field_, None)
                if field_ in theirs:
                    self.nodes[f"n{i}"][field_] = theirs[field_]
        names = {f"c{i}": self.alias(i) for i in range(3)}
        tables = {f"t{i}": {"rows": self.rows()} for i in range(2)}
        ids = [f"p{i}" for i in range(r.choice([2, 4, 6]))]
        pools = {each: self.pool(ids[at + 1 :]) for at, each in enumerate(ids)}
        self.pool_ids = ids
        pools["names"] = self.pool([]) | {
            "nodes": list(names),
            "weights": {},
            "answers": 1,
            "min_answers": 1,
        }
        pools["names"].pop("select", None)
        for pool in pools.values():
            if pool.get("latency"):
                pool["latency"] = r.choice(list(tables))
        steers = {name: self.steer() for name in ("www", "play", "beta")}
        steers["alias"] = {"pool": "names", "ttl": 20, "ttl_min": 3}
        nameservers = [{"name": "ns1.e.test.", "addresses": ["192.0.2.53"]}]
        zone = {"nameservers": nameservers, "negative_ttl": 17, "steers": steers}
        if r.random() < 0.05:
            zone["ecs"] = False
        return {
            "geodns": 1,
            "zones": {"e.test": zone},
            "nodes": self.nodes | names,
            "pools": pools,
            "monitors": {"web": {"type": "http"}, "game": {"type": "tcp", "port": 1}},
            "networks": self.networks(),
            "latency": tables,
        }

    # --- Nodes ---

    def node(self, i: int) -> Body:
        r = self.r
        fours, sixes = r.choice([(1, 0), (1, 0), (1, 1), (2, 1), (0, 1), (3, 2)])
        lat, lon = point(r, 5)
        body: Body = {
            "addresses": [f"198.18.{i}.{n}" for n in range(1, fours + 1)]
            + [f"2001:db8:{i + 1:x}::{n}" for n in range(1, sixes + 1)],
            "location": {"lat": lat, "lon": lon},
            "labels": {"tier": r.choice(["edge", "core"])},
        }
        r.shuffle(body["addresses"])
        return body | self.terms()

    def alias(self, i: int) -> Body:
        lat, lon = point(self.r, 5)
        return {"cname": f"c{i}.cdn.example.", "location": {"lat": lat, "lon": lon}, **self.terms()}

    def terms(self) -> Body:
        r = self.r
        body: Body = {"weight": r.choice([0, 1, 1, 7, 100, 100, 1000])}
        if r.random() < 0.3:
            body["bias"] = r.choice([-99, -50, -10, 20, 50, 99])
        if r.random() < 0.25:
            body["shed"] = {"lo": 0.5, "hi": 0.9}
        kind = r.random()
        if kind < 0.12:
            body["serves"] = self.matchers(set())
        elif kind < 0.24:
            body["refuses"] = self.matchers(set())
        return body

    def matchers(self, taken: set[object]) -> Body:
        """What nobody has taken; at least one."""
        r = self.r
        subnets = {
            prefix(r, 4, 9, 32) if r.random() < 0.6 else prefix(r, 6, 18, 64)
            for _ in range(r.randrange(4))
        } - taken
        asns = set(r.sample(ASNS, r.randrange(2))) - taken
        geos = set(r.sample(GEOS, r.randrange(3))) - taken
        found: Body = {
            name: sorted(values)
            for name, values in (("subnets", subnets), ("asns", asns), ("geos", geos))
            if values
        }
        if not found:
            return self.matchers(taken)
        taken |= subnets | asns | geos
        return found

    # --- Pools ---

    def pool(self, later: list[str]) -> Body:
        r = self.r
        answers = r.choice([1, 1, 1, 2, 3])
        body: Body = {
            "order": r.choice(["nearest", "nearest", "nearest", "listed", "equal", "latency"]),
            "band_percent": r.choice([0, 5, 40]),
            "band_km": r.choice([0, 50, 3000]),
            "band_ms": r.choice([0, 5, 30]),
            "bias_mode": r.choice(["symmetric", "route53"]),
            "spread": r.choice(["weighted", "weighted", "sticky", "first"]),
            "answers": answers,
            "min_answers": r.randint(1, answers),
            "min_up": r.choice([1, 1, 1, 2, 4]),
            "all_down": r.choice(["open", "open", "closed"]),
            "families": r.choice(["near", "near", "each"]),
        }
        if r.random() < 0.3:
            body["sticky_bits"] = {"v4": r.randint(1, 32), "v6": r.randint(1, 64)}
        if r.random() < 0.2:
            body["select"] = {"tier": self.nodes[r.choice(list(self.nodes))]["labels"]["tier"]}
        else:
            body["nodes"] = r.sample(list(self.nodes), r.randint(1, len(self.nodes)))
            body["weights"] = {
                node: r.choice([0, 1, 500]) for node in body["nodes"] if r.random() < 0.2
            }
        if body["order"] == "latency":
            body["latency"] = "later"
        if later and r.random() < 0.6:
            body["fallback"] = r.choice(later)
        if r.random() < 0.7:
            body["monitor"] = r.choice(["web", "web", "game"])
        return body

    def rows(self) -> list[list[Any]]:
        r = self.r
        found: dict[tuple[str, str], list[Any]] = {}
        for _ in range(30):
            kind = r.random()
            source = (
                prefix(r, 4, 9, 32) if kind < 0.3
                else prefix(r, 6, 18, 64) if kind < 0.4
                else f"AS{r.choice(ASNS)}" if kind < 0.6
                else r.choice(COUNTRIES)
            )  # fmt: skip
            node = r.choice(list(self.nodes))
            ms = r.choice([10, 15, 20, 40, 45, round(r.uniform(1, 200), 3)])
            found[source, node] = [source, node, ms, r.choice([1, 4, 5, 9])]
        return list(found.values())

    # --- Steers ---

    def steer(self) -> Body:
        r = self.r
        body = self.choice() | {"ttl": r.choice([30, 60]), "ttl_min": 5}
        taken: set[object] = set()
        rules = [
            self.matchers(taken) | self.choice() | {"fence": r.random() < 0.4}
            for _ in range(r.randrange(6))
        ]
        if rules:
            body["rules"] = rules
        if r.random() < 0.05:
            body["ecs"] = False
        return body

    def choice(self) -> Body:
        r = self.r
        if r.random() < 0.65:
            return {"pool": r.choice(self.pool_ids)}
        arms = r.sample(self.pool_ids, r.randint(1, min(3, len(self.pool_ids))))
        weights = [r.choice([0, 1, 5, 95, 95, 1000]) for _ in arms]
        weights[r.randrange(len(arms))] = 5
        return {"split": dict(zip(arms, weights, strict=True))}

    def networks(self) -> Body:
        r = self.r
        found: Body = {}
        taken: set[str] = set()
        for i in range(r.randrange(4)):
            lat, lon = point(r, 4)
            subnets = {prefix(r, 4, 9, 32), prefix(r, 6, 18, 64)} - taken
            taken |= subnets
            if subnets:
                location = {"lat": lat, "lon": lon}
                found[f"net{i}"] = {"subnets": sorted(subnets), "location": location}
        return found
