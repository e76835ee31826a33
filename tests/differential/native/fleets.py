"""Random fleets over random zones: every feature of steering, often several at one name."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from differential.native.users import Users, chosen
from differential.worlds import ZONES, make_world

Bodies = dict[str, dict[str, Any]]

OPTIONS = {
    "order": ("nearest", "nearest", "nearest", "listed", "equal", "latency"),
    "band_percent": (0, 0, 5, 30),
    "band_km": (0, 0, 50, 2000),
    "families": ("near", "each"),
    "band_ms": (0, 5, 40),
    "bias_mode": ("symmetric", "route53"),
    "spread": ("weighted", "weighted", "sticky", "sticky", "first"),
    "all_down": ("open", "closed"),
}


@dataclass
class Fleet:
    """A document and what can be ill in it."""

    document: dict[str, Any]
    addresses: list[str]
    names: list[str]
    """Names that are steered, or lead to one that is; absolute."""
    seed: int = 0
    subnets: tuple[str, ...] = ()
    """Those that it has something to say of."""


def make_fleet(seed: int, *, asns: bool = True) -> Fleet:
    """The same seed makes the same fleet; without ``asns`` nothing asks for AS numbers."""
    rng = random.Random(f"fleet {seed}")
    world = make_world(seed)
    users = Users(rng, asns=asns)
    document = {"geodns": 1, "zones": world.document(), "nodes": _nodes(rng)}
    if rng.random() < 0.5:
        for node in document["nodes"].values():
            users.restrict(node)
    document["pools"] = _pools(rng, document["nodes"])
    document["networks"] = users.networks()
    document["latency"] = users.latencies(list(document["nodes"]))
    names: list[str] = []
    for text, zone in zip(ZONES, document["zones"].values(), strict=False):  # without the root
        names += _steer(rng, users, zone, text, list(document["pools"]))
    bodies = document["nodes"].values()
    addresses = [text for body in bodies for text in body.get("addresses", (body.get("cname"),))]
    return Fleet(document, addresses, names, seed, tuple(users.subnets))


def _nodes(rng: random.Random) -> Bodies:
    points = [_point(rng) for _ in range(rng.choice((1, 3, 30, 60, 60)))]
    nodes = {f"n{n}": _node(rng, n, rng.choice(points)) for n in range(rng.choice((1, 5, 40, 80)))}
    for number in range(rng.randint(1, 6)):
        nodes[f"c{number}"] = {
            "cname": f"edge{number}.cdn.invalid.",
            "location": rng.choice(points),
            "weight": rng.choice((0, 1, 100)),
        }
    return nodes


def _node(rng: random.Random, number: int, point: dict[str, float]) -> dict[str, Any]:
    v4 = [f"198.18.{number}.{host}" for host in range(1, rng.choice((2, 2, 3)))]
    v6 = [f"2001:db8:{number + 1:x}::{host}" for host in range(1, rng.choice((2, 3)))]
    body = {
        "addresses": rng.choice((v4, v4, v6, v4 + v6, v4 + v6, v6 + v4)),
        "location": point,
        "weight": rng.choice((0, 1, 50, 100, 100, 1000)),
    }
    if rng.random() < 0.2:
        body["bias"] = rng.randint(-99, 99)
    return body | ({"shed": {"lo": 1, "hi": 2}} if rng.random() < 0.3 else {})


def _point(rng: random.Random) -> dict[str, float]:
    return {"lat": round(rng.uniform(-60, 75), 3), "lon": round(rng.uniform(-180, 180), 3)}


def _pools(rng: random.Random, nodes: Bodies) -> Bodies:
    plain = [name for name in nodes if name.startswith("n")]
    named = [name for name in nodes if name.startswith("c")]
    pools: Bodies = {}
    for prefix, members in (("p", plain), ("q", named)):
        fallback = None
        for number in range(rng.choice((1, 1, 2, 3))):
            least = len(members) if rng.random() < 0.4 else 1
            chosen = rng.sample(members, rng.randint(least, len(members)))
            pools[f"{prefix}{number}"] = _pool(rng, chosen, fallback, prefix == "q")
            fallback = f"{prefix}{number}"
    return pools


def _pool(
    rng: random.Random, members: list[str], fallback: str | None, named: bool
) -> dict[str, Any]:
    answers = 1 if named else rng.choice((1, 1, 1, 2, 3))
    body = {"nodes": members, **{key: rng.choice(values) for key, values in OPTIONS.items()}}
    body |= {"answers": answers, "min_answers": rng.randint(1, answers)}
    body["min_up"] = rng.choice((1, 1, min(2, len(members))))
    if body["order"] == "latency":
        body["latency"] = "rtt"
    if rng.random() < 0.5:
        body["sticky_bits"] = {"v4": rng.randint(1, 32), "v6": rng.randint(1, 64)}
    if rng.random() < 0.3:
        body["weights"] = {name: rng.choice((0, 7)) for name in members[:2]}
    return body | ({"fallback": fallback} if fallback else {})


def _steer(
    rng: random.Random, users: Users, zone: dict[str, Any], apex: str, pools: list[str]
) -> list[str]:
    """Add steers, aliases of them and hints to a zone; returns the names."""
    plain = [name for name in pools if name.startswith("p")]
    named = [name for name in pools if name.startswith("q")]
    zone["steers"] = {
        "www.geo": {**chosen(rng, plain), "ttl": rng.choice((5, 30, 86_400))},
        "many.geo": {**chosen(rng, plain), "ecs": rng.random() < 0.7, "ttl_min": 1},
        "*.wild.geo": {"pool": rng.choice(plain)},
        "cdn.geo": chosen(rng, named),
    }
    for owner, steer in zone["steers"].items():
        steer["rules"] = users.rules(named if owner == "cdn.geo" else plain)
    zone["ecs"] = rng.random() < 0.9
    zone["whoami"] = rng.random() < 0.5
    zone["rrsets"] |= {
        "alias.geo": {"CNAME": ["www.geo"]},
        "twice.geo": {"CNAME": ["alias.geo"]},
        "away.geo": {"CNAME": ["cdn.geo"]},
        "wilder.geo": {"CNAME": ["any.wild.geo"]},
        "www.geo": {"HTTPS": ["1 . alpn=h2 ipv4hint=auto ipv6hint=auto port=8443"]},
        "hint.geo": {"CNAME": ["many.geo"]},
        "many.geo": {"SVCB": ["2 backup.invalid. ipv6hint=auto", "3 . ipv4hint=192.0.2.9"]},
    }
    owners = [*zone["steers"], *(o for o in zone["rrsets"] if o.endswith(".geo")), "geo"]
    below = ["x.wild.geo", "a.b.wild.geo", "none.geo", "x.www.geo", "_status.www.geo"]
    return [f"{owner}.{apex}" for owner in (*owners, *below, "_explain.www.geo", "_whoami")]
