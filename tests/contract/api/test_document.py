"""The whole configuration in one piece: export, apply, prune, plan."""

from __future__ import annotations

from typing import Any


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
