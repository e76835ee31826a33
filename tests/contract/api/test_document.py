"""The whole configuration in one piece: export, apply, prune, plan."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest


def test_what_was_applied_is_exported(prod: Any, document: dict[str, Any]) -> None:
    del document["name"]
    assert prod.get("document").json() == document


def test_the_export_applied_again_changes_nothing(prod: Any) -> None:
    exported = prod.get("document")
    applied = prod.put("document", exported.json(), headers={"If-Match": exported.headers["ETag"]})
    assert applied.status_code == 200
    assert applied.json()["changed"] is False
    assert applied.headers["ETag"] == exported.headers["ETag"]
    assert prod.publisher.generation == 1


def test_a_document_is_refused_whole_with_every_reason(api: Any, document: dict[str, Any]) -> None:
    document["nodes"]["fra1"]["location"]["lat"] = 95.2
    document["nodes"]["mil1"]["weight"] = -1
    refused = api.put("document", document)
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["detail"] == "2 reasons; nothing changed."
    assert {each["pointer"]: each["code"] for each in problem["reasons"]} == {
        "/nodes/fra1/location/lat": "out_of_range",
        "/nodes/mil1/weight": "out_of_range",
    }
    assert problem["reasons"][0]["value"] == 95.2
    assert api.get("nodes").json()["items"] == []


def test_references_are_checked_across_the_document(api: Any, document: dict[str, Any]) -> None:
    document["pools"]["web"]["nodes"][1] = "mil9"
    (reason,) = api.put("document", document).json()["reasons"]
    assert reason["pointer"] == "/pools/web/nodes/1"
    assert (reason["code"], reason["value"]) == ("unknown_reference", "mil9")
    assert reason["hint"] == "Did you mean mil1?"


def test_nodes_of_a_document_are_placed(api: Any, document: dict[str, Any]) -> None:
    del document["nodes"]["fra1"]["location"]
    applied = api.put("document", document).json()
    notes = {each["pointer"]: each["code"] for each in applied["warnings"]}
    assert notes["/nodes/fra1/location"] == "placed"
    assert api.get("nodes/fra1").json()["location"] == {"lat": 50.11, "lon": 8.68}


def test_without_prune_nothing_is_removed(prod: Any, document: dict[str, Any]) -> None:
    del document["zones"]["example.com"]["steers"]["@"]
    assert prod.put("document", document).json()["changed"] is False
    assert prod.get("zones/example.com/steers/@").status_code == 200


def test_prune_removes_only_what_this_document_made(prod: Any, document: dict[str, Any]) -> None:
    prod.put("zones/example.com/rrsets/hand/A", {"values": ["192.0.2.99"]})
    other = {**document, "name": "other", "nodes": {}, "pools": {}, "monitors": {}}
    other["zones"] = {"example.com": {"nameservers": ["ns1.example.net"],
                                      "rrsets": {"other": {"A": ["192.0.2.98"]}}}}  # fmt: skip
    assert prod.put("document", other).status_code == 200
    del document["zones"]["example.com"]["rrsets"]["mail"]
    assert prod.put("document", document, params={"prune": "true"}).status_code == 200
    ids = [item["id"] for item in prod.get("zones/example.com/rrsets").json()["items"]]
    assert ids == ["@/MX", "hand/A", "other/A"]


def test_what_was_removed_and_made_again_by_hand_is_not_pruned(
    prod: Any, document: dict[str, Any]
) -> None:
    path = "zones/example.com/rrsets/mail/A"
    prod.delete(path)
    prod.put(path, {"values": ["192.0.2.26"]})
    del document["zones"]["example.com"]["rrsets"]["mail"]
    prod.put("document", document, params={"prune": ""})
    assert prod.get(path).status_code == 200


def test_a_forced_document_still_counts_as_the_maker(api: Any, document: dict[str, Any]) -> None:
    api.put("document", document, params={"force": "true", "reason": "document other"})
    del document["zones"]["example.com"]["rrsets"]["mail"]
    api.put("document", document, params={"prune": "true"})
    assert api.get("zones/example.com/rrsets/mail/A").status_code == 404


def test_a_plan_tells_changes_and_brakes_and_does_nothing(
    prod: Any, document: dict[str, Any]
) -> None:
    document["pools"]["web"]["nodes"] = ["fra1"]
    document["nodes"]["fra1"]["weight"] = 50
    answer = prod.post("plan", document)
    assert answer.status_code == 200
    plan = answer.json()
    assert [(each["pointer"], each["kind"]) for each in plan["changes"]] == [
        ("/nodes/fra1", "change"),
        ("/pools/web", "change"),
    ]
    assert [each["pointer"] for each in plan["brakes"]] == ["/pools/web"]
    assert {each["code"] for each in plan["warnings"]} >= {"unused"}
    assert prod.put("document", document, params={"plan": "true"}).json() == plan
    assert prod.get("nodes/fra1").json()["weight"] == 100


def test_a_plan_with_prune_shows_the_removals(prod: Any, document: dict[str, Any]) -> None:
    del document["zones"]["example.com"]["rrsets"]["mail"]
    plan = prod.post("plan", document, params={"prune": "true"}).json()
    assert [(each["pointer"], each["kind"]) for each in plan["changes"]] == [
        ("/zones/example.com/rrsets/mail/A", "remove")
    ]


def test_a_plan_of_a_bad_document_is_refused(api: Any) -> None:
    assert api.post("plan", {"geodns": 2}).status_code == 422
    assert api.post("plan", []).status_code == 422


def test_a_stale_document_is_refused(prod: Any, document: dict[str, Any]) -> None:
    tag = prod.get("document").headers["ETag"]
    prod.patch("nodes/fra1", {"weight": 1})
    assert prod.put("document", document, headers={"If-Match": tag}).status_code == 412
    assert prod.get("nodes/fra1").json()["weight"] == 1


def test_progress_is_told_to_the_author_alone_while_it_lasts(api: Any) -> None:
    with api.service.jobs.begin("admin", "R1") as mine, api.service.jobs.begin("other", "R2"):
        mine.step("reading", 3, 7)
        (told,) = api.get("progress").json()["items"]
        assert (told["request_id"], told["what"], told["done"], told["total"]) == (
            "R1", "reading", 3, 7
        )  # fmt: skip
    assert api.get("progress").json() == {"items": []}


def test_a_plan_warns_of_what_changes_alone(prod: Any) -> None:
    planned = prod.post("plan", {"geodns": 1, "pools": {"new": {"nodes": ["fra1"]}}}).json()
    assert {each["pointer"].split("/")[2] for each in planned["warnings"]} == {"new"}
    assert prod.post("plan", prod.get("document").json()).json()["warnings"] == []


def fleet(rng: random.Random) -> dict[str, Any]:
    """A document of everything there is, drawn at random."""
    nodes = [f"n{number}" for number in range(rng.randint(2, 12))]
    some = partial(_some, rng, nodes)
    zones = {
        f"z{number}.example": {
            "nameservers": ["ns1.example.net"],
            "steers": {"www": {"pool": rng.choice("pq"), "rules": rng.sample(RULES, 2)}},
            "rrsets": {
                "@": {"TXT": [f'"v={rng.random()}"']},
                "b\\047c": {"A": [f"192.0.2.{number}"]},
                "_dmarc": {"TXT": {"values": ['"x"'], "ttl": rng.randint(1, 9)}},
            },
        }
        for number in range(rng.randint(1, 4))
    }
    return {
        "geodns": 1,
        "name": "drawn",
        "zones": zones,
        "nodes": {
            node: {
                "addresses": [f"198.51.100.{at}", f"2001:DB8::{at + 1:x}"][: rng.randint(1, 2)],
                "location": {"lat": round(rng.uniform(-90, 90), 3), "lon": rng.randint(-180, 180)},
                "labels": {"tier": rng.choice(["edge", "core"]), "site": node},
                "weight": rng.choice([0, 100, 7]),
            }
            for at, node in enumerate(nodes)
        },
        "pools": {
            "p": {"nodes": nodes, "monitor": "web", "sticky_bits": {"v4": rng.randint(1, 32)}},
            "q": {"nodes": some(), "order": "latency", "latency": "t", "answers": 2},
        },
        "monitors": {
            "web": {"type": "http", "headers": {"X-A": "b"}, "expect": {"body": "ok"}},
            "push": {"type": "push", "lease_s": rng.choice([30, 30.5])},
        },
        "latency": {"t": [["EU-DE", node, rng.random() + 1, 7] for node in some()]},
        "networks": {"hq": {"subnets": ["203.0.113.0/24"], "at": "FRA"}},
        "overrides": {
            "o": {"match": {"nodes": [nodes[0]]}, "state": "up", "reason": "x",
                  "until": "2040-01-01T00:00:00.5Z"},
        },
        "webhooks": {
            "chat": {"url": f"https://192.0.2.9/{rng.random()}", "format": "slack"},
            "signed": {"url": "https://192.0.2.9/", "secret": f"whsec_{rng.getrandbits(200):x}"},
        },
    }  # fmt: skip


RULES: list[dict[str, Any]] = [
    {"geos": ["EU27", "unknown"], "pool": "p", "fence": True},
    {"subnets": ["203.0.113.0/24", "2001:DB8::/32"], "split": {"p": 1, "q": 9}},
    {"geos": ["NA-US-CA"], "pool": "q"},
]


def _some(rng: random.Random, nodes: list[str]) -> list[str]:
    return rng.sample(nodes, rng.randint(1, len(nodes)))


@pytest.mark.parametrize("seed", range(12))
def test_what_is_exported_can_be_applied_and_changes_nothing(api: Any, seed: int) -> None:
    drawn = fleet(random.Random(seed))
    applied = api.put("document", drawn)
    assert applied.status_code == 200, applied.text
    kept = {at: record.body for at, record in api.store.read()[1].items()}
    first, second = api.get("document"), api.get("document")
    assert first.content == second.content
    again = api.put("document?prune=true", first.json() | {"name": "drawn"})
    assert (again.status_code, again.json()["changed"]) == (200, False)
    assert api.put("document", drawn).json()["changed"] is False
    # Secrets are hidden in the export, and kept for all that.
    assert {at: record.body for at, record in api.store.read()[1].items()} == kept
    assert drawn["webhooks"]["signed"]["secret"] not in first.text
    # The order is that of the names, whatever came first.
    shuffled = {key: drawn[key] for key in random.Random(seed).sample(list(drawn), len(drawn))}
    assert api.put("document", shuffled).json()["changed"] is False
    assert api.get("document").content == first.content


def test_prune_removes_only_what_documents_of_the_name_made(prod: Any, document: Any) -> None:
    other = {"geodns": 1, "name": "other", "monitors": {"theirs": {"type": "icmp"}}}
    nameless = {"geodns": 1, "monitors": {"nobodys": {"type": "icmp"}}}
    for each in (other, nameless):
        assert prod.put("document", each).json()["changed"] is True
    prod.put("monitors/byhand", {"type": "icmp"})
    document["monitors"]["mine"] = {"type": "icmp"}
    # Who only changes what another made does not become its maker.
    document["monitors"]["theirs"] = {"type": "icmp", "interval_s": 9}
    assert prod.put("document", document).json()["changed"] is True
    for name in ("mine", "theirs"):
        del document["monitors"][name]
    assert prod.put("document?prune=true", document).json()["changed"] is True
    left = set(prod.service.config.monitors)
    assert left == {"web", "theirs", "nobodys", "byhand"}
