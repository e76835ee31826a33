"""Overrides as resources: what they need, what they warn of, what they may not do."""

from __future__ import annotations

from typing import Any

import pytest

NODES = {"a": {"site": "fra"}, "b": {"site": "fra"}, "c": {"site": "mil"}}
WORKS = {"match": {"nodes": ["a"]}, "state": "down", "reason": "works"}


@pytest.fixture
def fleet(api: Any) -> Any:
    for number, (node, labels) in enumerate(NODES.items()):
        body = {"addresses": [f"192.0.2.{number}"], "labels": labels}
        assert api.put(f"nodes/{node}", body).status_code == 201
    assert api.put("pools/web", {"nodes": ["a", "b"]}).status_code == 201
    return api


def override(**fields: Any) -> dict[str, Any]:
    return {**WORKS, **fields}


def codes(reply: Any) -> list[tuple[str, str]]:
    return [(each["pointer"], each["code"]) for each in reply.json()["reasons"]]


def test_an_override_is_kept_with_its_author_and_canonical_instants(fleet: Any) -> None:
    times = {"from": "2026-12-01T02:00:00.000Z", "until": "2026-12-01T04:00:00+00:00"}
    made = fleet.put("overrides/works", override(**times, author="somebody")).json()
    assert made["author"] == "admin"
    assert (made["from"], made["until"]) == ("2026-12-01T02:00:00Z", "2026-12-01T04:00:00Z")
    assert fleet.get("overrides/works").json()["author"] == "admin"
    exported = fleet.get("document").json()["overrides"]["works"]
    assert exported == override(**{"from": made["from"], "until": made["until"]})
    assert fleet.put("document", fleet.get("document").json()).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (override(match={}), [("/match", "required")]),
        (override(match={"nodes": ["zz"]}), [("/match/nodes/0", "unknown_reference")]),
        (override(match={"pools": ["zz"]}), [("/match/pools/0", "unknown_reference")]),
        (override(match={"sites": ["zz"]}), [("/match/sites", "unknown_field")]),
        (override(until="tomorrow"), [("/until", "bad_value")]),
        (override(until="2026-12-01T02:00:00"), [("/until", "bad_value")]),
        (override(until="2026-02-31T02:00:00Z"), [("/until", "bad_value")]),
        (
            override(**{"from": "2026-12-01T02:00:00Z", "until": "2026-12-01T02:00:00Z"}),
            [("/until", "out_of_range")],
        ),
        (override(state="sideways"), [("/state", "not_a_choice")]),
        ({"match": {"nodes": ["a"]}, "state": "down"}, [("/reason", "required")]),
    ],
)
def test_what_makes_no_sense_is_refused(
    fleet: Any, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    reply = fleet.put("overrides/works", body)
    assert (reply.status_code, codes(reply)) == (422, expected)


def test_a_pool_that_shrinks_is_told_and_one_that_would_be_empty_is_held(fleet: Any) -> None:
    made = fleet.put("overrides/works", WORKS)
    details = [each["detail"] for each in made.json()["warnings"]]
    assert "Pool web keeps 1 of its 2 nodes." in details
    other = override(match={"nodes": ["b"]})
    held = fleet.put("overrides/more", other)
    assert (held.status_code, held.json()["reasons"][0]["code"]) == (409, "brake")
    assert fleet.put("overrides/more?force=true&reason=known", other).status_code == 201


def test_a_fallback_that_has_nodes_lets_a_pool_be_emptied(fleet: Any) -> None:
    assert fleet.put("pools/spare", {"nodes": ["c"]}).status_code == 201
    assert fleet.patch("pools/web", {"fallback": "spare"}).status_code == 200
    site = override(match={"labels": {"site": "fra"}})
    assert fleet.put("overrides/works", site).status_code == 201
    assert fleet.put("overrides/more", override(match={"nodes": ["c"]})).status_code == 409


def test_drains_at_different_times_do_not_add_up(fleet: Any) -> None:
    first = override(until="2026-12-01T00:00:00Z")
    second = override(match={"nodes": ["b"]}, **{"from": "2026-12-01T00:00:00Z"})
    assert fleet.put("overrides/works", first).status_code == 201
    assert fleet.put("overrides/more", second).status_code == 201


def test_keys_of_a_match_are_and_values_or(fleet: Any) -> None:
    match = {"labels": {"site": ["fra", "mil"]}, "pools": ["web"]}
    made = fleet.put("overrides/works?force=true&reason=x", override(match=match))
    details = [each["detail"] for each in made.json()["warnings"]]
    assert "Pool web keeps 0 of its 2 nodes." in details
    nobody = override(match={"labels": {"site": "mil"}, "pools": ["web"]})
    warned = fleet.put("overrides/none", nobody).json()["warnings"]
    assert [each["code"] for each in warned] == ["matches_none"]


def test_a_node_that_an_override_names_stays(fleet: Any) -> None:
    assert fleet.put("nodes/d", {"addresses": ["192.0.2.9"]}).status_code == 201
    assert fleet.put("overrides/works", override(match={"nodes": ["d"]})).status_code == 201
    assert fleet.delete("nodes/d").status_code == 409
    assert fleet.delete("overrides/works").status_code == 204
    assert fleet.delete("nodes/d").status_code == 204
