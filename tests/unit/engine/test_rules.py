"""Rules, fences, chains and refusals, from a document to the answer."""

from __future__ import annotations

from collections.abc import Iterable

import dns.edns
import pytest
from support.build import BERLIN, NEW_YORK, PARIS, ROME, TOKYO, config, node, zone
from support.lab import Lab, scope_of

from geodns.geo.world import World
from geodns.snapshot.status import Override, Verdict

ROMAN, BERLINER, LONDONER, NORWEGIAN = (
    "11.1.2.0/24",
    "11.129.2.0/24",
    "12.1.2.0/24",
    "12.129.2.0/24",
)
YORKER, CALIFORNIAN, JAPANESE = "13.1.2.0/24", "13.129.2.0/24", "14.1.2.0/24"
AMERICAN, NOBODY = "15.1.2.0/24", "99.1.2.0/24"

NODES = {
    "rome": node(ROME, "198.18.0.1", "2001:db8::1"),
    "berlin": node(BERLIN, "198.18.0.2"),
    "york": node(NEW_YORK, "198.18.0.3", "2001:db8::3"),
    "tokyo": node(TOKYO, "198.18.0.4"),
    "office": node(PARIS, "198.18.0.5"),
    "local": node(ROME, "198.18.0.6", serves={"geos": ["EU-IT"]}),
    "shy": node(ROME, "198.18.0.7", refuses={"geos": ["EU27"], "subnets": ["12.1.0.0/16"]}),
}
NAMES = {f"198.18.0.{number}": name for number, name in enumerate(NODES, 1)}

POOLS = {
    "web": {"nodes": ["rome", "berlin", "york", "tokyo"]},
    "eu": {"nodes": ["rome", "berlin"], "fallback": "eu-spare"},
    "eu-spare": {"nodes": ["office"]},
    "us": {"nodes": ["york"]},
    "asia": {"nodes": ["tokyo"], "all_down": "closed"},
    "office": {"nodes": ["office"]},
    "choosy": {"nodes": ["local", "shy", "york"]},
    "only-italians": {"nodes": ["local"], "fallback": "us"},
}

STEERS = {
    "www": {
        "pool": "web",
        "rules": [
            {"geos": ["EU27"], "pool": "eu", "fence": True},
            {"geos": ["EEA"], "pool": "eu"},
            {"geos": ["NA-US-CA", "AS"], "pool": "asia"},
            {"geos": ["unknown"], "pool": "us"},
            {"subnets": ["11.1.2.128/25", "12.0.0.0/12", "10.1.0.0/16"], "pool": "office"},
        ],
    },
    "choosy": "choosy",
    "italian": "only-italians",
}


@pytest.fixture(params=["direct", "indirect"])
def lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, atlas: World
) -> Lab:
    """Everything unknown, which counts as up; with tables of its own and with shared ones."""
    made = config({"example.test": zone(STEERS)}, NODES, POOLS)
    budget = {} if request.param == "direct" else {"view_budget": 0}
    return Lab(tmp_path_factory.mktemp("lab"), atlas, made, **budget)


def ask(lab: Lab, subnet: str, name: str = "www", rtype: str = "A") -> set[str]:
    """The nodes that answer."""
    return {NAMES.get(a, a) for a in lab.addresses(f"{name}.example.test", rtype, subnet)}


def down(lab: Lab, names: Iterable[str]) -> None:
    lab.down([address for address, name in NAMES.items() if name in names])


def drain(lab: Lab, name: str) -> None:
    address = next(address for address, each in NAMES.items() if each == name)
    lab.set(address, Verdict.UP, override=Override.DOWN)


def errors(lab: Lab, subnet: str, name: str = "www") -> list[str]:
    reply = lab.ask(f"{name}.example.test", "A", subnet)
    return [o.text or "" for o in reply.options if isinstance(o, dns.edns.EDEOption)]


# --- The most specific rule wins ---


@pytest.mark.parametrize(
    ("subnet", "wanted"),
    [
        (ROMAN, "rome"),  # EU27
        (BERLINER, "berlin"),
        (NORWEGIAN, "berlin"),  # EEA; EU27 is more specific but does not match
        (LONDONER, "office"),  # by subnet
        ("12.17.2.0/24", "berlin"),  # Britain beyond the /12: the catch-all
        (CALIFORNIAN, "tokyo"),
        (YORKER, "york"),
        (JAPANESE, "tokyo"),
        (NOBODY, "york"),  # unknown
        ("11.1.2.128/25", "office"),
    ],
)
def test_the_most_specific_rule_wins(lab: Lab, subnet: str, wanted: str) -> None:
    assert ask(lab, subnet) == {wanted}


@pytest.mark.parametrize(
    ("subnet", "scope"),
    [
        ("11.1.2.0/24", 25),  # the office's half follows: longer than the source
        ("11.1.2.200/32", 25),
        ("11.1.3.0/24", 24),
        ("12.1.2.0/24", 12),
        ("13.129.0.0/16", 9),
    ],
)
def test_scopes_hold_subnet_rules_even_beyond_the_source(lab: Lab, subnet: str, scope: int) -> None:
    assert scope_of(lab.ask("www.example.test", "A", subnet)) == scope


def test_a_subnet_rule_is_stronger_than_a_special_purpose_block(lab: Lab) -> None:
    asked = lab.ask("www.example.test", "A", "10.1.2.0/24", resolver="14.1.1.1")
    assert scope_of(asked) == 16
    assert ask(lab, "10.1.2.0/24") == {"office"}


def test_beside_a_subnet_rule_a_special_block_is_no_wider_than_true(lab: Lab) -> None:
    for subnet, scope in (("10.0.0.0/24", 16), ("10.2.0.0/24", 15), ("10.128.0.0/24", 9)):
        reply = lab.ask("www.example.test", "A", subnet, resolver="14.1.1.1")
        assert scope_of(reply) == scope
    assert scope_of(lab.ask("www.example.test", "A", "172.16.3.0/24")) == 12


def test_a_resolver_matches_rules_like_a_client(lab: Lab) -> None:
    for resolver, wanted in (
        ("11.1.2.200", "office"),
        ("13.1.1.1", "york"),
        ("10.1.1.1", "office"),
    ):
        reply = lab.ask("www.example.test", "A", resolver=resolver)
        assert {NAMES[rr.address] for rrset in reply.answer for rr in rrset} == {wanted}
        assert scope_of(reply) is None


def test_a_folded_subnet_matches_the_rules_of_the_address_inside(lab: Lab) -> None:
    reply = lab.ask("www.example.test", "AAAA", "2002:d01:200::/48")  # 13.1.2.0
    assert [rr.address for rrset in reply.answer for rr in rrset] == ["2001:db8::3"]
    assert scope_of(reply) == 16 + 9


# --- Chains and fences ---


def test_a_fenced_rule_falls_back_along_its_own_chain_only(lab: Lab) -> None:
    down(lab, ["rome", "berlin"])
    assert ask(lab, ROMAN) == {"office"}
    down(lab, ["office"])
    assert ask(lab, ROMAN) == {"rome"}  # open, within the fence
    assert errors(lab, ROMAN) == ["failing open: no healthy node"]
    for name in ("rome", "berlin", "office"):
        drain(lab, name)
    assert ask(lab, ROMAN) == set()
    assert errors(lab, ROMAN) == ["no usable node"]


def test_without_a_fence_the_catch_all_is_the_last_resort(lab: Lab) -> None:
    down(lab, ["rome", "berlin", "office"])
    assert ask(lab, NORWEGIAN) == {"york"}
    down(lab, ["york", "tokyo"])
    assert ask(lab, NORWEGIAN) == {"berlin"}  # failing open: the first pool's nearest


def test_a_closed_pool_goes_on_to_the_catch_all_before_it_says_nothing(lab: Lab) -> None:
    down(lab, ["tokyo"])
    assert ask(lab, JAPANESE) != {"tokyo"} != set()
    down(lab, ["rome", "berlin", "york"])
    assert ask(lab, JAPANESE) == set()
    assert errors(lab, JAPANESE) == ["no usable node"]


def test_a_drained_node_is_never_revived(lab: Lab) -> None:
    drain(lab, "rome")
    down(lab, ["berlin", "office"])
    assert ask(lab, ROMAN) == {"berlin"}  # failing open to who is not drained
    assert ask(lab, NORWEGIAN) == {"york"}


def test_losing_site_after_site_walks_on_and_never_fails_open_while_one_is_left(lab: Lab) -> None:
    for lost, wanted in (("york", "berlin"), ("berlin", "rome"), ("rome", "tokyo")):
        down(lab, [lost])
        assert ask(lab, YORKER) == {wanted}
        assert errors(lab, YORKER) == []
    down(lab, ["tokyo"])
    assert errors(lab, YORKER) == ["failing open: no healthy node"]


def test_scopes_do_not_change_with_health(lab: Lab) -> None:
    asked = [ROMAN, BERLINER, LONDONER, YORKER, JAPANESE, NOBODY, "10.2.0.0/16", "2a02:1::/48"]

    def scopes() -> list[int | None]:
        return [scope_of(lab.ask("www.example.test", "A", subnet)) for subnet in asked]

    before = scopes()
    down(lab, ["rome", "york"])
    assert scopes() == before
    down(lab, NODES)
    assert scopes() == before
    for name in NODES:
        drain(lab, name)
    assert scopes() == before


# --- Whom nodes serve ---


def test_a_node_answers_only_whom_it_serves_and_does_not_refuse(lab: Lab) -> None:
    assert ask(lab, ROMAN, "choosy") == {"local"}  # shy stands there too, and refuses EU27
    assert ask(lab, "12.17.2.0/24", "choosy") == {"shy"}
    assert ask(lab, LONDONER, "choosy") == {"york"}  # refused by subnet
    assert ask(lab, BERLINER, "choosy") == {"york"}


def test_a_node_that_refuses_is_not_revived_when_all_others_are_down(lab: Lab) -> None:
    down(lab, ["york", "local"])
    assert ask(lab, BERLINER, "choosy") == {"york"}  # failing open
    drain(lab, "york")
    assert ask(lab, BERLINER, "choosy") == set()
    assert ask(lab, "12.17.2.0/24", "choosy") == {"shy"}


def test_a_pool_that_serves_none_of_these_users_is_passed_over(lab: Lab) -> None:
    assert ask(lab, ROMAN, "italian") == {"local"}
    assert ask(lab, YORKER, "italian") == {"york"}
    down(lab, ["york"])
    assert ask(lab, YORKER, "italian") == {"york"}  # failing open, past the empty pool
