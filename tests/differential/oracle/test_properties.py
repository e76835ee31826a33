"""What must hold of every document, asked on the wire: no interpreter has a part in it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from copy import deepcopy
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from support.interpreter import Health, Question

from differential.oracle.compare import ZONE, cut, healths, subnet_of
from differential.oracle.documents import Setting, make_setting
from differential.oracle.product import Product
from differential.oracle.wire import Reply, query, read

Body = dict[str, Any]
RESOLVER = "80.0.1.2"


def product_of(directory: Path, setting: Setting, document: Body) -> Product:
    return Product(
        directory, document, setting.geo, setting.asns, setting.default, direct=setting.direct
    )


def ask(product: Product, question: Question) -> Reply:
    return read(product.ask(query(question, ZONE), question.resolver))


def at(owner: str, version: int, address: int) -> Question:
    """A question from one whole address."""
    return Question(owner, "A", RESOLVER, cut(address, version, 32 if version == 4 else 128))


# --- Scopes ---


def without_users(setting: Setting) -> Body:
    """The document with nothing that depends on more than some bits of the user's address."""
    document = deepcopy(setting.document)
    for node in document["nodes"].values():
        node.pop("shed", None)
    for pool in document["pools"].values():
        pool["sticky_bits"] = {"v4": 9, "v6": 9}
    (zone,) = document["zones"].values()
    for steer in zone["steers"].values():
        for chooser in [steer, *steer.get("rules", ())]:
            split = chooser.pop("split", None)
            if split:
                chooser["pool"] = next(iter(split))
    return document


SPACES = {4: [(0, 1 << 32)], 6: [(0x101 << 112, 0x2001 << 112), (0x2001_0200 << 96, 1 << 128)]}
"""All of IPv4, and IPv6 but for the /48s of which only a part is special-purpose or embeds IPv4:
scopes of that part are longer than those around it."""


@pytest.mark.parametrize("seed", range(200, 206))
def test_scopes_of_all_clients_part_the_space(tmp_path: Path, seed: int) -> None:
    """From the first address of one scope to that of the next: none overlaps, none is left out."""
    setting = make_setting(seed)
    product = product_of(tmp_path, setting, without_users(setting))
    for version, spaces in SPACES.items():
        for low, high in spaces:
            scopes = list(walk(product, "www", version, low, high))
            assert len(scopes) > 10
            for start, size, bits in scopes[1:]:  # the first may begin before the space does
                assert start % size == 0, f"{ip_address(start)}/{bits} begins within a scope"


def walk(
    product: Product, owner: str, version: int, low: int, high: int
) -> Iterator[tuple[int, int, int]]:
    """Each scope met, as its first address, its size and its length."""
    while low < high:
        scope = ask(product, at(owner, version, low)).scope
        assert scope is not None
        size = 1 << (32 if version == 4 else 128) - scope
        yield low, size, scope
        low += size - low % size


@pytest.mark.parametrize("seed", range(210, 216))
def test_all_within_a_scope_are_told_the_same_scope_whatever_the_health(
    tmp_path: Path, seed: int
) -> None:
    setting = make_setting(seed)
    product, r = product_of(tmp_path, setting, setting.document), random.Random(seed)
    asked = []
    for _ in range(150):
        version = r.choice([4, 6])
        text, source = subnet_of(r, [r.choice([0x01020000, 0x50000000, 0x643F8000])], version)
        question = Question("www", "A", RESOLVER, (text, source))
        scope = ask(product, question).scope
        asked.append((question, scope))
        if source == 0 or not scope:
            continue
        bits = 32 if version == 4 else 128
        low = int(ip_address(text)) >> bits - scope << bits - scope
        other = at("www", version, low | r.getrandbits(bits) >> scope)
        # A source that shows no embedded address may be steered by resolver, a whole one not.
        if version == 4:
            assert ask(product, other).scope == scope
    product.set(healths(r, product, 1))
    assert [ask(product, question).scope for question, _ in asked] == [s for _, s in asked]


# --- Chains ---


@pytest.mark.parametrize("seed", range(220, 240))
def test_no_chain_revives_a_drained_or_a_fenced_off_node(tmp_path: Path, seed: int) -> None:
    setting = make_setting(seed)
    fence_all(setting.document)
    product, r = product_of(tmp_path, setting, setting.document), random.Random(seed)
    everywhere = set(r.sample(list(setting.document["nodes"]), 2))
    drained = {
        target: Health("down" if r.random() < 0.8 else "up", "down" if theirs else "none")
        for target in product.slots
        for theirs in [owner_of(setting.document, target[0]) in everywhere]
    }
    product.set(drained)
    reached: set[str] = set()
    for _ in range(150):
        subnet = subnet_of(r, [0x01020000, 0x50000000], 4)
        question = Question("www", r.choice(["A", "AAAA"]), RESOLVER, subnet, r.getrandbits(16))
        reached |= {owner_of(setting.document, text) for text in ask(product, question).addresses}
    assert not reached & everywhere
    assert reached <= allowed(setting.document)


def fence_all(document: Body) -> None:
    """One fenced rule for everybody: what is only in the steer's own pools is out of reach."""
    (zone,) = document["zones"].values()
    continents = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"]
    zone["steers"]["www"]["rules"] = [
        {"geos": ["unknown", *continents], "pool": "p0", "fence": True},
        {"subnets": ["0.0.0.0/2", "128.0.0.0/1", "::/2"], "pool": "p1", "fence": True},
    ]


def allowed(document: Body) -> set[str]:
    """The nodes of the fenced pools and their fallbacks."""
    found: set[str] = set()
    for following in ["p0", "p1"]:
        while following:
            pool = document["pools"][following]
            labels = pool.get("select")
            found |= set(pool.get("nodes", ())) | {
                node_id
                for node_id, node in document["nodes"].items()
                if labels and labels.items() <= node.get("labels", {}).items()
            }
            following = pool.get("fallback")
    return found


def owner_of(document: Body, address: str) -> str:
    nodes: Mapping[str, Body] = document["nodes"]
    return next(i for i, n in nodes.items() if address in [*n.get("addresses", ()), n.get("cname")])


# --- Sticky ---


def test_a_sticky_node_that_is_removed_moves_only_its_own_users(tmp_path: Path) -> None:
    setting = make_setting(1)
    nodes = {
        f"n{i}": {
            "addresses": [f"198.18.0.{i}"],
            "location": {"lat": i, "lon": 0},
            "weight": 20 + 10 * i,
        }
        for i in range(1, 9)
    }
    pool: Body = {"nodes": list(nodes), "order": "equal", "spread": "sticky"}
    zone = {"nameservers": ["ns1.example.net"], "steers": {"www": {"pool": "all"}}}
    document = {"geodns": 1, "zones": {ZONE: zone}, "nodes": nodes, "pools": {"all": pool}}
    users = [at("www", 4, 0x50000000 + (i << 12)) for i in range(3000)]

    def answers(name: str, without: str = "") -> list[str]:
        pool["nodes"] = [node for node in nodes if node != without]
        (tmp_path / name).mkdir()
        product = product_of(tmp_path / name, setting, document)
        return [ask(product, question).addresses[0] for question in users]

    before, after = answers("all"), answers("fewer", "n5")
    assert {was for was, now in zip(before, after, strict=True) if was != now} == {"198.18.0.5"}
    share, total = 70 / 520, len(users)
    assert (
        abs(before.count("198.18.0.5") - share * total) <= 5 * (share * (1 - share) * total) ** 0.5
    )
