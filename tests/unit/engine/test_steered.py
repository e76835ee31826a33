"""Steered answers as the engine gives them: in step with the words, with EDE, TTL and shares."""

from __future__ import annotations

from collections import Counter

import dns.edns
import pytest
from support.build import BERLIN, NEW_YORK, PARIS, ROME, config, node, zone
from support.lab import Lab, addresses_of, question

from geodns.geo.world import World
from geodns.snapshot.status import Override, Verdict

ROMAN = "1.2.3.0/24"
DOWN, UP = Verdict.DOWN, Verdict.UP

NODES = {
    "rome": node(ROME, "198.18.0.1", "2001:db8::1"),
    "rome-2": node(ROME, "198.18.0.2", weight=300),
    "paris": node(PARIS, "198.18.0.3", "2001:db8::3"),
    "york": node(NEW_YORK, "198.18.0.4"),
    "berlin": node(BERLIN, "198.18.0.5", "198.18.0.6"),
    "spare": node(ROME, "198.18.0.7", weight=0),
}
POOLS = {
    "web": {"nodes": ["rome", "paris", "york"]},
    "site": {"nodes": ["rome", "rome-2", "spare"]},
    "many": {"nodes": list(NODES), "answers": 3, "min_answers": 3},
    "closed": {"nodes": ["rome", "york"], "all_down": "closed"},
    "chain": {"nodes": ["rome"], "fallback": "last", "order": "listed"},
    "last": {"nodes": ["york"]},
    "v4": {"nodes": ["york"], "families": "each"},
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, tiny_world: World) -> Lab:
    zones = {"example.test": zone({pool: pool for pool in POOLS})}
    return Lab(tmp_path_factory.mktemp("lab"), tiny_world, config(zones, NODES, POOLS))


def ask(lab: Lab, pool: str, rtype: str = "A") -> set[str]:
    return lab.addresses(f"{pool}.example.test", rtype, ROMAN)


def ttl(lab: Lab, pool: str) -> int:
    return int(lab.ask(f"{pool}.example.test", "A", ROMAN).answer[0].ttl)


def errors(lab: Lab, pool: str, rtype: str = "A") -> list[str]:
    reply = lab.ask(f"{pool}.example.test", rtype, ROMAN)
    return [o.text or "" for o in reply.options if isinstance(o, dns.edns.EDEOption)]


def test_a_changed_word_is_in_the_next_answer(lab: Lab) -> None:
    assert ask(lab, "web") == {"198.18.0.1"}
    lab.set("198.18.0.1", DOWN)
    assert ask(lab, "web") == {"198.18.0.3"}
    lab.set("198.18.0.3", override=Override.DOWN)
    assert ask(lab, "web") == {"198.18.0.4"}
    lab.set("198.18.0.1", UP)
    assert ask(lab, "web") == {"198.18.0.1"}


def test_a_lost_address_family_is_nodata_rather_than_a_far_node(lab: Lab) -> None:
    assert ask(lab, "web", "AAAA") == {"2001:db8::1"}
    lab.set("2001:db8::1", DOWN)
    assert ask(lab, "web") == {"198.18.0.1"}
    assert ask(lab, "web", "AAAA") == set()


def test_all_usable_addresses_of_a_node_are_answered(lab: Lab) -> None:
    made = {tuple(sorted(ask(lab, "many"))) for _ in range(40)}
    assert {len(answer) for answer in made} <= {3, 4}
    for answer in made:
        assert ("198.18.0.5" in answer) is ("198.18.0.6" in answer)


def test_weights_share_a_site_and_weight_0_waits_until_nothing_else_is_left(lab: Lab) -> None:
    query = question("site.example.test", subnet=ROMAN)
    shares: Counter[str] = Counter()
    for number in range(4000):
        query.id = number
        (address,) = addresses_of(lab.reply(query))
        shares[address] += 1
    assert shares["198.18.0.2"] / 4000 == pytest.approx(0.75, abs=0.03)
    assert shares["198.18.0.7"] == 0
    lab.down(["198.18.0.1", "198.18.0.2"])
    assert ask(lab, "site") == {"198.18.0.7"}


def test_a_weight_factor_of_0_empties_a_node_but_does_not_kill_it(lab: Lab) -> None:
    lab.set("198.18.0.2", UP, weight_factor=0)
    assert {tuple(ask(lab, "site")) for _ in range(50)} == {("198.18.0.1",)}
    lab.down(["198.18.0.1", "198.18.0.7"])
    assert ask(lab, "site") == {"198.18.0.2"}


def test_the_ttl_is_short_while_the_deciding_nodes_are_unsettled(lab: Lab) -> None:
    assert ttl(lab, "web") == 30
    lab.set("198.18.0.1", UP, unsettled=True)
    assert ttl(lab, "web") == 5
    lab.set("198.18.0.1", UP)
    lab.set("198.18.0.4", UP, unsettled=True)  # a farther one does not decide
    assert ttl(lab, "web") == 30


def test_the_ttl_is_short_after_a_fallback_until_the_pool_has_settled(lab: Lab) -> None:
    lab.set("198.18.0.1", DOWN, unsettled=True)
    lab.set("2001:db8::1", DOWN)
    assert (ask(lab, "chain"), ttl(lab, "chain")) == ({"198.18.0.4"}, 5)
    lab.set("198.18.0.1", DOWN)
    assert ttl(lab, "chain") == 30


def test_failing_open_says_so_and_takes_the_short_ttl(lab: Lab) -> None:
    lab.down(["198.18.0.1", "198.18.0.3", "198.18.0.4"])
    assert ask(lab, "web") == {"198.18.0.1"}
    assert ttl(lab, "web") == 5
    assert errors(lab, "web") == ["failing open: no healthy node"]


def test_closed_answers_nothing_and_says_so(lab: Lab) -> None:
    assert errors(lab, "closed") == []
    lab.down(["198.18.0.1", "198.18.0.4"])
    assert ask(lab, "closed") == set()
    assert errors(lab, "closed") == ["no usable node"]


def test_overrides_are_stronger_than_failing_open(lab: Lab) -> None:
    for address in ("198.18.0.1", "198.18.0.3", "198.18.0.4"):
        lab.set(address, UP, override=Override.DOWN)
    assert ask(lab, "web") == set()
    assert errors(lab, "web") == ["no usable node"]


def test_a_family_that_a_pool_never_had_is_no_failure(lab: Lab) -> None:
    assert ask(lab, "v4", "AAAA") == set()
    assert errors(lab, "v4", "AAAA") == []


def test_a_slot_that_now_belongs_to_another_counts_as_unknown(lab: Lab) -> None:
    slot, tag = lab.slot_of["198.18.0.1", None]
    lab.set("198.18.0.1", DOWN)
    word = lab.status.words[slot]
    lab.status.words[slot] = word & 0xFFFFFFFF | (tag ^ 1) << 32
    lab.set("198.18.0.5", UP)  # moves the epoch
    assert ask(lab, "web") == {"198.18.0.1"}
