"""The configurations that are measured, as documents."""

from __future__ import annotations

import math
import random
from typing import Any

ZONE = "example.test"
NODES = 100
GREAT_NODES = 10_000
SEED = 2026
"""Fixed, so that every run places the same nodes."""

Document = dict[str, Any]


def random_fleet() -> Document:
    """100 nodes strewn evenly over the globe in one pool that steers www; static names beside."""
    draw = random.Random(SEED)
    nodes = {
        f"n{number}": {
            "addresses": [f"203.0.113.{number + 1}", f"2001:db8::{number + 1:x}"],
            "location": _anywhere(draw),
        }
        for number in range(NODES)
    }
    zone = {
        "nameservers": [{"name": f"ns1.{ZONE}.", "addresses": ["192.0.2.53"]}],
        "steers": {"www": {"pool": "web"}},
        "rrsets": {"static": {"A": ["192.0.2.1"]}, "probe": {"A": ["192.0.2.2"]}},
    }
    return document(zone, nodes, {"web": {"nodes": list(nodes)}})


def ruled_fleet() -> Document:
    """The same fleet with all that costs a query: www has rules by subnet and by place, each with
    a split, and pools that are sticky in bands wide enough to hold several nodes."""
    made = random_fleet()
    nodes = list(made["nodes"])
    wide = {"spread": "sticky", "band_km": 1500}
    made["pools"] = {
        "stable": {"nodes": nodes, **wide},
        "canary": {"nodes": nodes[::2], "fallback": "stable", **wide},
    }
    split = {"stable": 95, "canary": 5}
    codes = ("EU27", "AS", "NA-US", "SA", "AF", "OC")
    rules = [{"geos": [code], "split": split, "fence": True} for code in codes]
    subnets = [f"{first}.{second}.0.0/16" for first in (45, 80, 120, 190) for second in range(200)]
    rules.append({"subnets": subnets, "split": split})
    made["zones"][ZONE]["steers"]["www"] = {"split": split, "rules": rules}
    return made


def great_fleet() -> Document:
    """As many nodes in one pool, all alike: one tier that every answer is drawn from."""
    nodes = {
        f"n{number}": {
            "addresses": [f"198.18.{number >> 8}.{number & 255}"],
            "location": {"lat": 0.0, "lon": 0.0},
        }
        for number in range(GREAT_NODES)
    }
    zone = {
        "nameservers": [{"name": f"ns1.{ZONE}.", "addresses": ["192.0.2.53"]}],
        "steers": {"www": {"pool": "web"}},
    }
    return document(zone, nodes, {"web": {"nodes": list(nodes), "order": "equal"}})


def document(
    zone: dict[str, Any], nodes: dict[str, Any], pools: dict[str, Any], **more: Any
) -> Document:
    """A document with one zone."""
    return {"geodns": 1, "zones": {ZONE: zone}, "nodes": nodes, "pools": pools, **more}


def _anywhere(draw: random.Random) -> dict[str, float]:
    latitude = math.degrees(math.asin(draw.uniform(-1, 1)))
    return {"lat": round(latitude, 3), "lon": round(draw.uniform(-180, 180), 3)}
