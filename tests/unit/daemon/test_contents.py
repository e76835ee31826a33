"""What a generation may not lose unless somebody forced it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.build import ROME, config, node, zone

from geodns.daemon.sections import HeldSections
from geodns.errors import ConfigError
from geodns.geo.world import World
from geodns.snapshot.compile import Compiler
from geodns.snapshot.order import Order

SERVER = {"name": "ns1.one.test.", "addresses": ["192.0.2.53"]}
BARE = {"nameservers": [SERVER]}

Admit = Callable[..., None]


@pytest.fixture
def admit(tmp_path: Path, tiny_world: World) -> Admit:
    """Hold the generation of these zones and pool members after the one before it."""
    compiler, held = Compiler(tmp_path, tiny_world), HeldSections(tmp_path)
    nodes = {"rome": node(ROME, "192.0.2.1"), "spare": node(ROME, "192.0.2.2")}

    def admitted(zones: dict[str, Any], members: list[str], forced: str | None = None) -> None:
        pools = {"web": {"nodes": members} if members else {"select": {"no": "such"}}}
        made = compiler.compile(Order(config(zones, nodes, pools), 1, forced=forced), None)
        for _, descriptor in held.admit(made):
            os.close(descriptor)

    return admitted


FULL = {"one.test": {**BARE, "rrsets": {"a": {"A": ["192.0.2.9"]}}}, "two.test": zone()}


def test_a_zone_does_not_lose_all_it_answers_unless_that_was_forced(admit: Admit) -> None:
    admit(FULL, ["rome"])
    for less in (
        {"two.test": zone()},
        {**FULL, "one.test": BARE | {"nameservers": ["ns.x.test."]}},
    ):
        with pytest.raises(ConfigError, match=r"one\.test\. would lose all its 1 RRsets"):
            admit(less, ["rome"])
    admit({"two.test": zone()}, ["rome"], "it is sold")


def test_a_pool_does_not_lose_its_last_node_unless_that_was_forced(admit: Admit) -> None:
    admit(FULL, ["rome", "spare"])
    admit(FULL, ["spare"])
    with pytest.raises(ConfigError, match="lose their last nodes"):
        admit(FULL, [])
    admit(FULL, [], "on purpose")


def test_an_empty_zone_goes_like_the_brakes_let_it(admit: Admit) -> None:
    admit({"one.test": BARE, "two.test": zone()}, ["rome"])
    admit({"two.test": zone()}, ["rome"])


def test_some_of_a_zone_goes_freely(admit: Admit) -> None:
    more = {**FULL["one.test"], "rrsets": {"a": {"A": ["192.0.2.9"]}, "b": {"A": ["192.0.2.8"]}}}
    admit({**FULL, "one.test": more}, ["rome"])
    admit(FULL, ["rome"])
