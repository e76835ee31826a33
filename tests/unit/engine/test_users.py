"""Splits, sticky nodes and load, from a document to the answer and its scope."""

from __future__ import annotations

import ipaddress
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.build import BERLIN, NEW_YORK, PARIS, ROME, config, node, zone
from support.lab import Lab, addresses_of, question, scope_of

from geodns.geo.world import World
from geodns.snapshot.status import Override, StatusTable, Verdict, Word

NODES = {
    "rome": node(ROME, "198.18.0.1", "2001:db8::1", weight=300),
    "rome-2": node(ROME, "198.18.0.2", "2001:db8::2"),
    "rome-3": node(ROME, "198.18.0.3", shed={"lo": 0.7, "hi": 0.9}),
    "york": node(NEW_YORK, "198.18.0.4", "2001:db8::4"),
    "canary": node(ROME, "198.18.0.5", "2001:db8::5"),
    "busy": node(PARIS, "198.18.0.6", "2001:db8::6", shed={"lo": 1, "hi": 2}),
    "idle": node(BERLIN, "198.18.0.7", "2001:db8::7"),
}
POOLS = {
    "stable": {"nodes": ["york"]},
    "canary": {"nodes": ["canary"], "fallback": "stable"},
    "site": {"nodes": ["rome", "rome-2", "canary"], "spread": "sticky"},
    "fine": {
        "nodes": ["rome", "rome-2"],
        "spread": "sticky",
        "sticky_bits": {"v4": 32, "v6": 64},
    },
    "two": {"nodes": ["rome", "rome-2", "canary"], "spread": "sticky", "answers": 2},
    "loaded": {"nodes": ["busy", "idle"], "order": "listed"},
}
STEERS = {
    "beta": {"split": {"stable": 95, "canary": 5}},
    "half": {"split": {"stable": 1, "canary": 1}},
    "none": {"split": {"stable": 1, "canary": 0}},
    "sticky": "site",
    "fine": "fine",
    "two": "two",
    "loaded": "loaded",
    "chained": {
        "pool": "loaded",
        "rules": [{"subnets": ["1.2.0.0/16"], "split": {"site": 1, "loaded": 1}}],
    },
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, tiny_world: World) -> Lab:
    hints = {"fine": {"HTTPS": ["1 . ipv4hint=auto"]}}
    made = config({"example.test": zone(STEERS, hints)}, NODES, POOLS)
    return Lab(tmp_path_factory.mktemp("lab"), tiny_world, made)


def subnets(count: int, network: str = "1.0.0.0/8", length: int = 24) -> Iterator[str]:
    draw, inside = random.Random(5), ipaddress.ip_network(network)
    bits = length - inside.prefixlen
    for _ in range(count):
        offset = draw.getrandbits(bits) << inside.max_prefixlen - length
        yield f"{inside.network_address + offset}/{length}"


def ask(lab: Lab, name: str, subnet: str | None, rtype: str = "A", **fields: object) -> set[str]:
    query = question(f"{name}.example.test", rtype, subnet)
    query.id = int(fields.pop("message_id", 0))  # type: ignore[call-overload]
    return addresses_of(lab.reply(query, **fields))  # type: ignore[arg-type]


# --- Splits ---


def test_a_split_sends_its_share_to_each_arm_and_nobody_elsewhere(lab: Lab) -> None:
    asked = list(subnets(4000, length=20))
    arms = Counter(min(ask(lab, "beta", subnet)) for subnet in set(asked))
    users = sum(arms.values())
    assert set(arms) == {"198.18.0.4", "198.18.0.5"}
    assert abs(arms["198.18.0.5"] - 0.05 * users) <= 5 * (0.05 * 0.95 * users) ** 0.5


def test_the_arm_is_the_users_own_whatever_the_message_id_length_or_family_asked(lab: Lab) -> None:
    for subnet in subnets(40):
        home = str(ipaddress.ip_network(subnet).supernet(new_prefix=20))
        arms = {
            min(ask(lab, "half", each, message_id=number))
            for number in (0, 7, 65_535)
            for each in (subnet, home, subnet.replace("/24", "/32"))
        }
        assert len(arms) == 1
        six = ask(lab, "half", subnet, "AAAA")
        assert six == {{"198.18.0.4": "2001:db8::4", "198.18.0.5": "2001:db8::5"}[min(arms)]}


def test_health_moves_an_arms_users_along_its_own_chain_and_back(lab: Lab) -> None:
    asked = list(subnets(60))
    before = [ask(lab, "half", subnet) for subnet in asked]
    lab.set("198.18.0.5", Verdict.DOWN)
    assert all(ask(lab, "half", subnet) == {"198.18.0.4"} for subnet in asked)
    lab.set("198.18.0.5", Verdict.UP)
    assert [ask(lab, "half", subnet) for subnet in asked] == before


def test_an_arm_of_weight_0_gets_nobody(lab: Lab) -> None:
    assert {min(ask(lab, "none", subnet)) for subnet in subnets(100)} == {"198.18.0.4"}


def test_splits_are_drawn_anew_for_each_name(lab: Lab) -> None:
    asked = list(subnets(60))
    canary = [{min(ask(lab, name, s)) == "198.18.0.5" for s in asked} for name in ("beta", "half")]
    assert canary[0] != canary[1] or len(canary[0]) == 2


@pytest.mark.parametrize(
    ("name", "subnet", "scope"),
    [
        ("beta", "1.2.3.0/24", 20),
        ("beta", "1.2.0.0/16", 20),  # beyond the source
        ("none", "1.2.3.0/24", 8),  # 0.0.0.0/8 is special
        ("sticky", "1.2.3.0/24", 20),
        ("fine", "1.2.3.0/24", 32),
        ("fine", "2a00::/32", 64),
        ("beta", "2a00:1:2::/48", 40),
        ("loaded", "1.2.3.0/24", 20),
        ("beta", "2002:102:300::/40", 16 + 20),
        ("fine", "64:ff9b::102:304/128", 96 + 32),
        ("beta", "10.1.2.0/24", 8),  # special: by resolver
        ("beta", "2001:db8:1::/48", 32),
    ],
)
def test_the_scope_holds_the_bits_that_the_draw_depends_on(
    lab: Lab, name: str, subnet: str, scope: int
) -> None:
    lab.set("198.18.0.5", Verdict.DOWN)  # health has no part in it
    for rtype in ("A", "AAAA"):
        assert scope_of(lab.ask(f"{name}.example.test", rtype, subnet)) == scope


def test_by_resolver_the_scope_is_0_and_the_resolver_is_the_user(lab: Lab) -> None:
    for resolver in ("1.2.3.4", "1.200.3.4", "2a00::1"):
        answers = {
            frozenset(ask(lab, "half", None, resolver=resolver, message_id=number))
            for number in range(5)
        }
        assert len(answers) == 1
    reply = lab.ask("half.example.test", "A", "0.0.0.0/0", resolver="1.2.3.4")
    assert scope_of(reply) == 0
    assert addresses_of(reply) == ask(lab, "half", "1.2.3.4/32")


# --- Sticky ---


def test_a_sticky_users_node_is_the_same_for_every_query_and_in_both_families(lab: Lab) -> None:
    for subnet in subnets(40):
        four = {frozenset(ask(lab, "sticky", subnet, message_id=number)) for number in range(4)}
        assert len(four) == 1
        [[address]] = four
        six = ask(lab, "sticky", subnet, "AAAA")
        assert six == {address.replace("198.18.0.", "2001:db8::")}


def test_sticky_shares_follow_the_weights(lab: Lab) -> None:
    found = Counter(min(ask(lab, "sticky", subnet)) for subnet in set(subnets(2500, length=20)))
    users = sum(found.values())
    for address, share in (("198.18.0.1", 0.6), ("198.18.0.2", 0.2), ("198.18.0.5", 0.2)):
        assert abs(found[address] - share * users) <= 5 * (share * (1 - share) * users) ** 0.5


def test_when_a_sticky_node_fails_only_its_users_move(lab: Lab) -> None:
    asked = list(subnets(200))
    before = [min(ask(lab, "sticky", subnet)) for subnet in asked]
    lab.set("198.18.0.2", Verdict.DOWN)
    after = [min(ask(lab, "sticky", subnet)) for subnet in asked]
    assert {old for old, new in zip(before, after, strict=True) if old != new} == {"198.18.0.2"}


def test_several_sticky_answers_are_the_users_first_favourites(lab: Lab) -> None:
    for subnet in subnets(30):
        two = ask(lab, "two", subnet)
        assert len(two) == 2
        assert two == ask(lab, "two", subnet, message_id=9)


def test_sticky_hints_are_the_users_own_node(lab: Lab) -> None:
    for subnet in subnets(20):
        reply = lab.ask("fine.example.test", "HTTPS", subnet)
        [record] = reply.answer[0]
        assert set(record.params[4].addresses) == ask(lab, "fine", subnet)
        assert scope_of(reply) == 32


# --- Load ---


def test_load_sends_its_share_of_users_on_and_each_user_stays_put(lab: Lab) -> None:
    users = sorted(set(subnets(2000, length=20)))
    lab.load("198.18.0.6", 40)
    first = [min(ask(lab, "loaded", subnet)) for subnet in users]
    away = first.count("198.18.0.7")
    assert abs(away - 0.4 * len(users)) <= 5 * (0.24 * len(users)) ** 0.5
    lab.load("198.18.0.6", 60)
    second = [min(ask(lab, "loaded", subnet)) for subnet in users]
    came_back = sum(
        old == "198.18.0.7" and new == "198.18.0.6" for old, new in zip(first, second, strict=True)
    )
    assert came_back == 0
    assert second.count("198.18.0.7") > away


def test_load_never_sends_a_user_to_a_dead_node_or_to_nothing(lab: Lab) -> None:
    lab.load("198.18.0.6", 100)
    lab.set("198.18.0.7", Verdict.DOWN)
    for subnet in subnets(20):
        reply = lab.ask("loaded.example.test", "A", subnet)
        assert addresses_of(reply) == {"198.18.0.6"}
        assert not [option for option in reply.options if option.otype == 15]


def test_load_of_a_node_that_has_no_marks_for_it_means_nothing(lab: Lab) -> None:
    lab.load("198.18.0.7", 100)
    lab.set("198.18.0.6", Verdict.DOWN)
    assert {min(ask(lab, "loaded", subnet)) for subnet in subnets(20)} == {"198.18.0.7"}


def test_a_rules_split_has_sticky_and_load_behind_its_arms(lab: Lab) -> None:
    lab.load("198.18.0.6", 50)
    found = Counter(min(ask(lab, "chained", s)) for s in subnets(300, "1.2.0.0/16", 30))
    assert set(found) >= {"198.18.0.6", "198.18.0.7"}
    assert scope_of(lab.ask("chained.example.test", "A", "1.2.3.0/24")) == 20
    assert scope_of(lab.ask("chained.example.test", "A", "1.3.3.0/24")) == 20


def test_a_status_word_carries_the_share(lab: Lab) -> None:
    lab.load("198.18.0.6", 40)
    slot, tag = lab.slot_of["198.18.0.6", None]
    table = StatusTable(lab.directory / "status")
    assert table.word(slot, tag) == Word(
        tag, Verdict.UP, False, Override.NONE, 255, round(40 * 655.35)
    )


# --- What is remembered ---


def test_favourites_and_resolvers_are_forgotten_before_they_fill_the_memory(
    tmp_path: Path, tiny_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = {f"n{n}": node(ROME, f"198.18.1.{n}", weight=n) for n in range(1, 21)}
    pool = {"nodes": list(nodes), "spread": "sticky"}
    made = config({"example.test": zone({"www": "web"})}, nodes, {"web": pool})
    lab = Lab(tmp_path, tiny_world, made)
    asked = list(subnets(60))
    before = [ask(lab, "www", subnet) for subnet in asked]
    assert len(set(map(min, before))) > 5
    assert [ask(lab, "www", subnet, message_id=3) for subnet in asked] == before  # remembered
    monkeypatch.setattr("geodns.engine.steered.HELD_MAX", 30)
    monkeypatch.setattr("geodns.engine.subject.RESOLVERS_MAX", 4)
    by_resolver = [ask(lab, "www", None, resolver=f"1.2.{n}.1") for n in range(60)]
    assert [ask(lab, "www", subnet) for subnet in asked] == before
    assert [ask(lab, "www", None, resolver=f"1.2.{n}.1") for n in range(60)] == by_resolver
    [view] = lab.generation.views.values()
    assert len(view.resolvers) <= 4
    steering = lab.responder.lookup.steering
    assert steering._held <= 30 + 25
