"""What explain says of rules, arms, users, load and places: the serving code's own reasons."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.build import BERLIN, NEW_YORK, PARIS, ROME, config, node, zone
from support.lab import Lab, addresses_of

from geodns.engine.explain import explain_text
from geodns.engine.explanation import Explanation
from geodns.engine.lookup import Lookup
from geodns.errors import ConfigError, NotFound
from geodns.geo.world import World
from geodns.snapshot.status import Override

ROMAN, BERLINER, YORKER, AMERICAN = "11.1.2.0/24", "11.129.2.0/24", "13.1.2.0/24", "15.1.2.0/24"

NODES = {
    "rome": node(ROME, "198.18.0.1", "2001:db8::1", shed={"lo": 1, "hi": 2}),
    "berlin": node(BERLIN, "198.18.0.2"),
    "york": node(NEW_YORK, "198.18.0.3"),
    "shy": node(PARIS, "198.18.0.4", refuses={"geos": ["EU27"]}),
    **{f"n{number}": node(PARIS, f"198.18.1.{number}") for number in range(1, 20)},
    "cdn": {"cname": "cdn.example.", "location": {"lat": 1, "lon": 2}},
}
POOLS = {
    "web": {"nodes": ["rome", "berlin", "york"]},
    "eu": {"nodes": ["rome", "shy"], "order": "listed"},
    "own": {"nodes": ["rome", "berlin"], "order": "equal", "spread": "sticky"},
    "many": {"nodes": [f"n{n}" for n in range(1, 20)], "order": "listed"},
    "alone": {"nodes": ["shy"]},
    "shut": {"nodes": ["n1"], "fallback": "web"},
    "names": {"nodes": ["cdn"]},
}
STEERS = {
    "www": {"pool": "web", "rules": [{"geos": ["EU27"], "pool": "eu", "fence": True}]},
    "beta": {"split": {"own": 95, "web": 5}},
    "many": "many",
    "alone": "alone",
    "cdn": "names",
    "office": "shut",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, atlas: World) -> Lab:
    held = {"static": {"A": ["192.0.2.1"]}}
    made = config({"example.test": zone(STEERS, held)}, NODES, POOLS)
    return Lab(tmp_path_factory.mktemp("lab"), atlas, made)


def told(
    lab: Lab, name: str, subnet: str | None, rtype: str = "A", resolver: str = "127.0.0.1"
) -> Explanation:
    lookup = lab.responder.lookup
    return explain_text(lookup, f"{name}.example.test", rtype, subnet, resolver, 1_000_000)


def test_a_rule_its_fence_and_who_does_not_serve_the_user_are_named(lab: Lab) -> None:
    explained = told(lab, "www", ROMAN)
    assert explained.rule == "geos EU27 fence"
    assert explained.lines[3:6] == (
        "04 rule geos EU27 fence -> pool eu, listed",
        "05 + rome 198.18.0.1 0 km: up, no monitor",
        f"06 - shy 1106 km: does not serve {ROMAN}",
    )
    assert told(lab, "www", YORKER).lines[3] == "04 rule catch-all -> pool web, nearest"


def test_an_arm_its_share_and_whom_it_is_drawn_by_are_named(lab: Lab) -> None:
    arms = {told(lab, "beta", f"11.{n}.2.0/24").arm for n in range(120)}
    assert arms == {"own 95 of 100", "web 5 of 100"}
    explained = next(
        e for n in range(99) if (e := told(lab, "beta", f"11.{n}.2.0/24")).pool == "own"
    )
    assert "arm own 95 of 100 -> pool own, equal, sticky" in explained.lines[3]
    home = explained.subject.replace("2.0/24", "0.0/20")
    assert f"arm by hash of {home}; sticky by hash of {home}" in explained.lines[-1]
    assert (
        f"scope /{explained.scope}: the widest prefix with this class and hash"
        in (explained.lines[-1])
    )


def test_an_ipv6_user_is_named_by_network(lab: Lab) -> None:
    explained = told(lab, "beta", "2a02:1:2::/48", "AAAA")
    assert "arm by hash of 2a02:1::/40" in explained.lines[-1]


def test_the_nodes_told_are_those_answered(lab: Lab) -> None:
    lab.load("198.18.0.1", 50)
    for name in ("beta", "www", "many"):
        for subnet in (ROMAN, BERLINER, YORKER, "11.77.0.0/16", "10.1.2.0/24"):
            explained = told(lab, name, subnet)
            reply = lab.ask(f"{name}.example.test", "A", subnet, resolver="127.0.0.1", query_id=0)
            assert set(explained.addresses) == addresses_of(reply)


def test_load_is_told_with_its_share_and_whether_it_concerns_this_user(lab: Lab) -> None:
    lab.load("198.18.0.1", 50)
    away = {told(lab, "www", f"13.1.{n * 16}.0/20").lines[4:7] for n in range(16)}
    assert all("rome" not in lines[0] for lines in away)  # far from those who ask
    found = [told(lab, "www", f"12.129.{n * 16}.0/20") for n in range(16)]
    lines = {line for each in found for line in each.lines if "rome" in line}
    assert any("sheds 50 %" in line for line in lines)
    lab.load("198.18.0.1", 100)
    lab.set("198.18.0.2", override=Override.DOWN)
    explained = told(lab, "www", "12.129.2.0/24")  # Norway: Berlin is nearer, then Rome
    [line] = [line for line in explained.lines if "- rome" in line]
    assert "sheds 100 %, this user too" in line
    assert explained.nodes == ("york",)


def test_a_coarse_place_is_told(lab: Lab) -> None:
    explained = told(lab, "www", AMERICAN)
    assert explained.coarse
    assert "place is coarse, a whole country" in explained.lines[-1]
    assert not told(lab, "www", YORKER).coarse


def test_nodes_of_another_pool_than_the_deciding_one_say_so(lab: Lab) -> None:
    explained = told(lab, "office", ROMAN)
    assert explained.lines[3:6] == (
        "04 rule catch-all -> pool shut, nearest",
        "05 + n1 198.18.1.1 1106 km: up, no monitor",
        "06 . rome 198.18.0.1 0 km in web: up, no monitor",
    )
    lab.down(["198.18.1.1"])
    assert "- n1 198.18.1.1 1106 km in shut: down" in told(lab, "office", ROMAN).lines[4]


def test_what_an_unknown_place_means_is_told_only_where_places_count(
    lab: Lab, tmp_path: Path, atlas: World
) -> None:
    note = "location unknown: all count as equally near"
    assert note in told(lab, "www", None, resolver="99.1.1.1").notes
    for name in ("many", "cdn"):  # listed; one node
        assert "location unknown" in told(lab, name, None, resolver="99.1.1.1").notes
    made = config({"example.test": zone(STEERS)}, NODES, POOLS)
    there = Lab(tmp_path, atlas, made, default_location=ROME)
    notes = told(there, "www", None, resolver="99.1.1.1").notes
    assert "location unknown: taken to be the default location" in notes


def test_a_view_without_intervals_of_its_own_promises_no_widest_scope(
    tmp_path: Path, atlas: World
) -> None:
    made = config({"example.test": zone(STEERS)}, NODES, POOLS)
    there = Lab(tmp_path, atlas, made, view_budget=0)
    assert "perhaps not the widest (shared intervals)" in told(there, "www", YORKER).lines[-1]


def test_the_node_that_answers_is_shown_behind_however_many_dead_ones(lab: Lab) -> None:
    lab.down(f"198.18.1.{number}" for number in range(1, 19))
    explained = told(lab, "many", YORKER)
    assert explained.candidates[-1].node == "n19"
    assert explained.candidates[-1].mark == "+"
    assert len(explained.candidates) == 13


def test_failing_open_and_nothing_left_are_told(lab: Lab) -> None:
    lab.down(["198.18.0.1", "198.18.0.2", "198.18.0.3"])
    explained = told(lab, "www", YORKER)
    assert "failing open: no node of the chain is healthy" in explained.lines[-1]
    assert "ttl 5 not 30" in explained.lines[-1]
    assert {c.mark for c in explained.candidates} == {"+", "."}
    explained = told(lab, "alone", ROMAN)
    assert explained.nodes == ()
    assert "nothing left to answer with: NODATA" in explained.lines[-1]
    assert "shy" in explained.lines[4]


def test_by_resolver_the_scope_says_so(lab: Lab) -> None:
    assert (
        told(lab, "www", None, resolver="13.1.1.1")
        .lines[-1]
        .endswith("scope /0: steered by resolver")
    )
    note = told(lab, "www", "10.1.0.0/16", resolver="99.1.1.1").lines[-1]
    assert "scope /8: a special-purpose block; steered by resolver" in note
    assert "location unknown: all count as equally near" in note


def test_a_resolver_that_is_not_trusted_is_steered_by_itself(lab: Lab) -> None:
    lookup = Lookup(lab.generation, lab.status, lambda _: False)
    explained = explain_text(lookup, "www.example.test", "A", ROMAN, "13.1.1.1", 0)
    assert (explained.by, explained.nodes) == ("resolver", ("york",))


def test_names_elsewhere_and_cache_entries_are_told(lab: Lab) -> None:
    explained = told(lab, "cdn", ROMAN)
    assert explained.addresses == ("cdn.example",)
    assert set(explained.cache_entries) == {"v4", "v6"}
    assert explained.as_dict()["candidates"][0]["node"] == "cdn"


@pytest.mark.parametrize(
    ("name", "rtype", "text"),
    [
        ("static", "A", "is static: 1 records"),
        ("static", "AAAA", "has no such records; it has A"),
        ("nobody", "A", "does not exist in example.test"),
    ],
)
def test_what_is_not_steered_is_told_in_a_line(lab: Lab, name: str, rtype: str, text: str) -> None:
    assert text in told(lab, name, ROMAN, rtype).lines[1]


def test_what_cannot_be_read_or_is_not_ours_is_refused(lab: Lab) -> None:
    with pytest.raises(ConfigError):
        told(lab, "www", "300.1.2.3/24")
    with pytest.raises(NotFound):
        explain_text(lab.responder.lookup, "www.elsewhere.", "A", None, "127.0.0.1", 0)
