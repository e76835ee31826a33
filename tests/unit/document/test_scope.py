"""Judging an edit finds what judging the whole finds: on random fleets and random edits."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from geodns.api.edit import is_about
from geodns.api.kinds import ALL
from geodns.document.check import check, check_edit, new_warnings, warnings
from geodns.document.load import from_document
from geodns.document.scope import parts
from geodns.errors import Reason
from geodns.model.config import Config
from geodns.model.node import Location, Node
from geodns.model.zone import RRset, Steer

EDITS = 120
KINDS = {kind.word: kind for kind in ALL}
HERE = Location(lat=1, lon=2)


def fleet() -> Config:
    """A little of everything that rules look at together."""
    return from_document(
        {
            "geodns": 1,
            "zones": {
                "example.com": {
                    "nameservers": ["ns.example.com", "ns.example.net"],
                    "steers": {
                        "@": {"pool": "sel"},
                        "www": {"pool": "list"},
                        "far": {"pool": "names"},
                        "cut.sub": {"split": {"list": 1, "sel": 2}},
                    },
                    "rrsets": {
                        "ns": {"A": ["192.0.2.53"]},
                        "sub": {"NS": ["ns.sub", "ns.other.example."]},
                        "ns.sub": {"A": ["192.0.2.54"]},
                        "old": {"DNAME": ["new.example."]},
                        "www": {"HTTPS": ["1 . ipv4hint=auto"]},
                        "mail": {"MX": ["10 a.example."], "TXT": ["hello"]},
                    },
                },
                "in.example.com": {"nameservers": ["ns.example.com"], "steers": {}},
            },
            "pools": {
                "sel": {"select": {"tier": "edge"}, "monitor": "both", "min_up": 2},
                "list": {"nodes": ["a", "b"], "fallback": "sel", "weights": {"a": 5}},
                "names": {"select": {"tier": "cdn"}, "weights": {"e": 7}},
                "empty": {"select": {"tier": "none"}, "all_down": "closed"},
            },
            "monitors": {
                "m": {"type": "tcp", "port": 80},
                "both": {"type": "all", "of": ["m", "n"]},
                "n": {"type": "icmp"},
            },
            "nodes": {
                "a": {"addresses": ["192.0.2.1"], "location": {"lat": 1, "lon": 2}},
                "b": {"addresses": ["10.0.0.2"], "location": {"lat": 1, "lon": 2}},
                "c": edge("198.51.100.3"),
                "d": edge("198.51.100.4"),
                "e": {"cname": "cdn.example.", "location": {"lat": 1, "lon": 2},
                      "labels": {"tier": "cdn"}},
                "f": {"addresses": ["203.0.113.6"], "location": {"lat": 1, "lon": 2}},
            },
        }
    )  # fmt: skip


def edge(address: str) -> dict[str, Any]:
    return {"addresses": [address], "location": {"lat": 1, "lon": 2}, "labels": {"tier": "edge"}}


def edited(config: Config, chance: random.Random) -> tuple[str, tuple[str, ...], Config]:
    """Some resource put or removed."""
    kind = chance.choice(["node", "node", "steer", "rrset", "rrset"])
    if kind == "node":
        name = chance.choice("abcdefgh")
        nodes = dict(config.nodes)
        if chance.random() < 0.25:
            nodes.pop(name, None)
        else:
            nodes[name] = random_node(chance)
        return kind, (name,), replace(config, nodes=nodes)
    zone = chance.choice(["example.com", "example.com", "in.example.com"])
    owners = ["@", "www", "ns", "sub", "ns.sub", "x.sub", "old", "x.old", "mail", "in", "x.in",
              "far", "www.example.com", "new"]  # fmt: skip
    owner = chance.choice(owners)
    if kind == "steer":
        steers = dict(config.steers)
        if chance.random() < 0.25:
            steers.pop((zone, owner), None)
        else:
            steers[zone, owner] = random_steer(chance)
        return kind, (zone, owner), replace(config, steers=steers)
    rtype, values = chance.choice(VALUES)
    rrsets = dict(config.rrsets)
    if chance.random() < 0.25:
        rrsets.pop((zone, owner, rtype), None)
    else:
        rrsets[zone, owner, rtype] = RRset(values=values, ttl=chance.choice([None, 5, 10**6]))
    return kind, (zone, owner, rtype), replace(config, rrsets=rrsets)


VALUES = [
    ("A", ("192.0.2.9",)),
    ("A", ("192.0.2.9", "192.0.2.9")),
    ("A", ("nonsense",)),
    ("TXT", ("x",)),
    ("CNAME", ("x.example.",)),
    ("NS", ("ns.x",)),
    ("DNAME", ("x.example.",)),
    ("HTTPS", ("1 . ipv4hint=auto",)),
]


def random_node(chance: random.Random) -> Node:
    addresses = chance.choice(
        [(), ("192.0.2.1",), ("10.0.0.9",), ("198.51.100.9", "2001:db8::9"), ("127.0.0.1",)]
    )
    return Node(
        addresses=addresses,
        cname=chance.choice([None, None, None, "x.example."]),
        location=chance.choice([HERE, HERE, HERE, None]),
        labels=chance.choice([{}, {"tier": "edge"}, {"tier": "cdn"}, {"tier": "none"}]),
        weight=chance.choice([1, 100]),
    )


def random_steer(chance: random.Random) -> Steer:
    pool = chance.choice(["sel", "list", "names", "empty", "gone", None])
    split = chance.choice([None, None, None, {"sel": 1, "names": 2}])
    return Steer(pool=pool, split=split, ttl=chance.choice([30, 4000]))


@pytest.mark.parametrize("seed", range(4))
def test_judging_an_edit_finds_what_judging_the_whole_finds(seed: int) -> None:
    chance = random.Random(seed)
    config = fleet()
    assert not check(config)
    small = 0
    for _ in range(EDITS):
        kind, key, after = edited(config, chance)
        faults = check(after)
        assert check_edit(config, after) == faults, (kind, key)
        part = parts(config, after)
        small += part is not None
        if faults:
            assert part is None or check(part.after), "a fault that the part does not show"
            continue
        is_subject = partial(about, kind, key)
        found = new_warnings(config, after, is_subject)
        known = {(each.pointer, each.code) for each in warnings(config)}
        whole = [
            each
            for each in warnings(after)
            if (each.pointer, each.code) not in known or is_subject(each)
        ]
        assert sorted(map(str, found)) == sorted(map(str, whole)), (kind, key)
        config = after
    assert small > EDITS / 5


def about(kind: str, key: tuple[str, ...], reason: Reason) -> bool:
    return is_about(reason, KINDS[kind], key)


def test_the_part_of_an_edit_does_not_grow_with_the_fleet() -> None:
    config = fleet()
    nodes = {
        f"n{i}": Node(addresses=(f"100.64.{i // 250}.{i % 250 + 1}",), location=HERE,
                      labels={"tier": "edge"})
        for i in range(2000)
    }  # fmt: skip
    config = replace(config, nodes={**config.nodes, **nodes})
    moved = nodes["n7"].model_copy(update={"weight": 5})
    part = parts(config, replace(config, nodes={**config.nodes, "n7": moved}))
    assert part is not None
    assert len(part.after.nodes) < 10
    rrsets = {**config.rrsets, ("example.com", "x", "A"): RRset(values=("192.0.2.7",))}
    part = parts(config, replace(config, rrsets=rrsets))
    assert part is not None
    assert (len(part.after.nodes), len(part.after.rrsets)) == (0, 1)
