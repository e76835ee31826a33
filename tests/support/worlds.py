"""Small random worlds and steerings, and what the model says of an address, with plain loops."""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network
from math import nan
from pathlib import Path

import numpy as np

from geodns.geo.asn import AsnTable
from geodns.geo.database import DatabaseInfo
from geodns.geo.locations import Locations
from geodns.geo.world import World
from geodns.model.config import Config
from geodns.model.network import Network
from geodns.model.node import Location, Node
from geodns.model.pool import Pool, StickyBits
from geodns.model.rule import Matchers, Rule
from geodns.model.zone import Steer, Zone
from support.interpreter.geography import km

WIDTH = {4: 32, 6: 64}
PLACES = [
    ("EU", "IT", "62"), ("EU", "IT", "25"), ("EU", "FR", ""), ("EU", "NO", ""), ("EU", "CH", ""),
    ("NA", "US", "CA"), ("NA", "US", ""), ("AS", "JP", ""), ("", "", ""), ("EU", "", ""),
]  # fmt: skip
GEOS = [
    "EU-IT-62", "EU-IT", "EU-FR", "NA-US", "NA-US-CA", "EU27", "EEA", "EU", "NA", "AS", "unknown",
]  # fmt: skip
EU27 = {"IT", "FR"}
EEA = {"IT", "FR", "NO"}
ASNS = [64500, 64501, 64502]


def random_table(r: random.Random, bits: int, values: int) -> tuple[list[int], list[int]]:
    """Runs over a space, most of them in few places, so that all kinds of overlap occur."""
    starts = sorted({0} | {r.choice(hot(bits)) + r.getrandbits(5) << bits - 24 for _ in range(25)})
    return starts, [r.randrange(values) for _ in starts]


def hot(bits: int) -> list[int]:
    """Where things happen: a few /18 or the like, the ends of the space among them."""
    return [0, 1 << 16, 3 << 18, (1 << 24) - 32]


def random_prefix(r: random.Random, family: int) -> str:
    """A prefix of any length in the hot places."""
    bits = WIDTH[family]
    value = r.choice(hot(bits)) + r.getrandbits(5) << bits - 24 | r.getrandbits(bits - 24)
    length = r.choice([r.randrange(1, bits + 1), r.randrange(16, bits + 1)])
    value = value >> bits - length << bits - length
    if family == 4:
        return str(IPv4Network((value, length)))
    return str(IPv6Network((value << 64, length)))


def random_world(r: random.Random) -> tuple[World, AsnTable]:
    """A world of ten locations, some coarse, and AS numbers."""
    points = [(r.uniform(-90, 90), r.uniform(-180, 180)) for _ in PLACES]
    rows = [("", "", ""), ("", "", ""), *PLACES]
    locations = Locations(
        np.array([nan, nan, *(lat for lat, _ in points)]),
        np.array([nan, nan, *(lon for _, lon in points)]),
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        np.array([False, False, *(r.random() < 0.2 for _ in PLACES)]),
    )
    starts4, location4 = random_table(r, 32, len(rows))
    starts6, location6 = random_table(r, 64, len(rows))
    asn4, asn6 = random_table(r, 32, 4), random_table(r, 64, 4)
    today = datetime.now(UTC).date()
    info = DatabaseInfo("Test-City", today, 0, Path("test"), 6, f"{r.getrandbits(256):064x}")
    numbers = np.array([0, *ASNS], np.uint32)
    table = AsnTable(
        np.array(asn4[0], np.uint32),
        numbers[asn4[1]],
        np.array(asn6[0], np.uint64),
        numbers[asn6[1]],
        f"{r.getrandbits(256):064x}",
    )
    world = World(
        info,
        np.array(starts4, np.uint32),
        np.array(location4, np.uint32),
        np.array(starts6, np.uint64),
        np.array(location6, np.uint32),
        locations,
    )
    return world, table


def random_matchers(r: random.Random, taken: set[object]) -> Matchers | None:
    """One to three matchers that nobody has taken; None if there is nothing left."""
    subnets = {random_prefix(r, r.choice([4, 6])) for _ in range(r.randrange(4))} - taken
    asns = set(r.sample(ASNS, r.randrange(2))) - taken
    geos = set(r.sample(GEOS, r.randrange(3))) - taken
    taken |= subnets | asns | geos
    found = Matchers(subnets=tuple(subnets), asns=tuple(asns), geos=tuple(geos))
    return None if found.empty else found


def random_config(r: random.Random, *, nodes: int, terms: float = 0.3) -> Config:
    """Nodes with and without terms and bias, three pools, one steer with up to five rules."""

    def perhaps() -> Matchers | None:
        return random_matchers(r, set()) if r.random() < terms else None

    made = {
        f"n{number}": Node(
            addresses=(f"198.18.0.{number}",),
            location=Location(lat=r.uniform(-90, 90), lon=r.uniform(-180, 180)),
            bias=r.choice([0, 0, 0, 50, -50, 99]),
            serves=perhaps(),
            refuses=perhaps(),
        )
        for number in range(nodes)
    }
    for number in range(1, nodes, 4):  # some stand together
        made[f"n{number}"] = made[f"n{number}"].model_copy(
            update={"location": made[f"n{number - 1}"].location}
        )
    ids = list(made)
    pools = {
        pool_id: Pool(
            nodes=tuple(r.sample(ids, r.randrange(1, nodes))),
            order=r.choice(["nearest", "nearest", "listed", "equal"]),
            bias_mode=r.choice(["symmetric", "route53"]),
            band_percent=r.choice([0, 5, 40]),
            band_km=r.choice([0, 50, 2000]),
            spread=r.choice(["weighted", "sticky"]),
            sticky_bits=StickyBits(v4=r.randrange(1, 12), v6=r.randrange(1, 12)),
            fallback=following,
        )
        for pool_id, following in (("a", r.choice([None, "b"])), ("b", None), ("c", None))
    }
    taken: set[object] = set()
    rules = []
    for _ in range(r.randrange(6)):
        matchers = random_matchers(r, taken)
        if matchers is not None:
            where = {"pool": r.choice("abc")} if r.random() < 0.8 else {"split": {"b": 1, "c": 2}}
            fence = r.random() < 0.5
            rules.append(Rule(**dict(matchers), **where, fence=fence))  # type: ignore[arg-type]
    networks = {
        f"net{number}": Network(
            subnets=(random_prefix(r, r.choice([4, 6])),),
            location=Location(lat=r.uniform(-90, 90), lon=r.uniform(-180, 180)),
        )
        for number in range(r.randrange(3))
    }
    return Config(
        zones={"e.test": Zone(nameservers=("ns1.e.net",))},
        steers={("e.test", "www"): Steer(pool="a", rules=tuple(rules))},
        nodes=made,
        pools=pools,
        networks=networks,
    )


# --- What the model says, in loops ---


@dataclass
class Person:
    """Somebody at an address."""

    family: int
    value: int
    location: int
    asn: int
    point: tuple[float, float]
    place: tuple[str, str, str]
    coarse: bool


def covers(subnet: str, family: int, value: int) -> int:
    """The subnet's length if it holds the address, else 0."""
    network = IPv4Network(subnet) if "." in subnet else IPv6Network(subnet)
    if network.version != family:
        return 0
    low = int(network.network_address) >> (0 if family == 4 else 64)
    shift = WIDTH[family] - network.prefixlen
    return network.prefixlen if low >> shift == value >> shift else 0


def person(world: World, table: AsnTable, config: Config, family: int, value: int) -> Person:
    """Who is at an address of the unpainted world."""
    starts, values = (
        (world.starts4, world.location4) if family == 4 else (world.starts6, world.location6)
    )
    asn_starts, asns = (table.starts4, table.asn4) if family == 4 else (table.starts6, table.asn6)
    location = int(values[bisect_right(starts.tolist(), value) - 1])
    asn = int(asns[bisect_right(asn_starts.tolist(), value) - 1])
    columns = world.locations
    best = max(
        ((covers(s, family, value), network_id) for network_id, n in config.networks.items()
         for s in n.subnets),
        default=(0, ""),
    )  # fmt: skip
    if best[0]:
        spot = config.networks[best[1]].location
        assert spot is not None
        known = [i for i in range(2, len(columns)) if columns.country[i] and not columns.coarse[i]]
        here = (spot.lat, spot.lon)
        at = min(known, key=lambda i: km(here, where(world, i)), default=0)
        number = len(columns) + sorted(config.networks).index(best[1])
        return Person(family, value, number, asn, here, place(world, at), False)
    coarse = bool(columns.coarse[location])
    return Person(
        family, value, location, asn, where(world, location), place(world, location), coarse
    )


def where(world: World, location: int) -> tuple[float, float]:
    return float(world.locations.latitude[location]), float(world.locations.longitude[location])


def place(world: World, location: int) -> tuple[str, str, str]:
    columns = world.locations
    return columns.continent[location], columns.country[location], columns.subdivision[location]


def specificity(matchers: Matchers, who: Person) -> tuple[int, int]:
    """How specifically matchers mean somebody; (0, 0) not at all."""
    found = [(0, 0)]
    found += [(9, covers(s, who.family, who.value)) for s in matchers.subnets
              if covers(s, who.family, who.value)]  # fmt: skip
    found += [(8, 0)] * (who.asn in matchers.asns)
    continent, country, subdivision = who.place
    for code in matchers.geos if who.location != 1 else ():
        parts = code.split("-")
        if code == "unknown":
            found += [(7, 0)] * (who.location == 0)
        elif code in ("EU27", "EEA"):
            countries = EU27 if code == "EU27" else EEA
            found += [(4 if code == "EU27" else 3, 0)] * (country in countries)
        elif len(parts) == 3:
            found += [(6, 0)] * ((country, subdivision) == (parts[1], parts[2]))
        elif len(parts) == 2:
            found += [(5, 0)] * (country == parts[1])
        else:
            found += [(2, 0)] * (continent == code)
    return max(found)


def destination(config: Config, who: Person) -> int | None:
    """The number of the most specific rule, or of the catch-all; None for special addresses."""
    rules = config.steers["e.test", "www"].rules
    ranked = [(specificity(rule, who), number) for number, rule in enumerate(rules)]
    best, number = max(ranked, default=((0, 0), 0))
    if who.location == 1 and best[0] != 9:
        return None
    return number if best[0] else len(rules)


def answers(node: Node, who: Person) -> bool:
    """Whether a node may answer somebody at all."""
    served = node.serves is None or specificity(node.serves, who) != (0, 0)
    return served and (node.refuses is None or specificity(node.refuses, who) == (0, 0))


def biased(node: Node, pool: Pool, distance_km: float) -> float:
    if node.bias < 0 and pool.bias_mode == "symmetric":
        return distance_km / (1 + node.bias / 100)
    return distance_km * (1 - node.bias / 100)
