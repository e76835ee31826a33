"""What is wrong with one field hides nothing that is wrong between resources."""

from __future__ import annotations

from typing import Any


def _told(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    reasons = answer.json()["reasons"]
    told = {each["pointer"]: each["code"] for each in reasons}
    assert len(told) == len(reasons)
    return told


def test_the_example_of_the_contract(api: Any, document: dict[str, Any]) -> None:
    document["nodes"]["fra1"]["location"]["lat"] = 95.2
    document["pools"]["eu"] = {"nodes": ["fra1", "mil9"]}
    for answer in (api.put("document", document), api.post("plan", document)):
        problem = answer.json()
        assert problem["detail"] == "2 reasons; nothing changed."
        wide, unknown = problem["reasons"]
        assert (wide["pointer"], wide["code"]) == ("/nodes/fra1/location/lat", "out_of_range")
        assert wide["value"] == 95.2
        assert unknown["pointer"] == "/pools/eu/nodes/1"
        assert unknown["code"] == "unknown_reference"
        assert unknown["hint"] == "Did you mean mil1?"


def test_a_document_may_name_what_is_there_already(prod: Any) -> None:
    part = {"geodns": 1, "pools": {"eu": {"nodes": ["fra1", "none"], "order": "bad"}}}
    told = _told(prod.put("document", part))
    assert told == {"/pools/eu/order": "not_a_choice", "/pools/eu/nodes/1": "unknown_reference"}


def test_a_document_may_move_an_address_to_another_node(prod: Any) -> None:
    nodes = {"fra1": 5, "new1": {"addresses": ["192.0.2.10"]}}
    told = _told(prod.put("document", {"geodns": 1, "nodes": nodes}))
    assert told == {"/nodes/fra1": "wrong_type"}


def test_pruning_makes_no_echo(prod: Any, document: dict[str, Any]) -> None:
    document["nodes"]["fra1"] = []
    document["monitors"]["web"]["type"] = "smtp"
    told = _told(prod.put("document?prune=true", document))
    assert told == {"/nodes/fra1": "wrong_type", "/monitors/web/type": "not_a_choice"}


def test_a_pool_with_a_bad_order_and_unknown_names(prod: Any) -> None:
    body = {"order": "bad", "nodes": ["nope"], "monitor": "nope2"}
    expected = {
        "/order": "not_a_choice",
        "/nodes/0": "unknown_reference",
        "/monitor": "unknown_reference",
    }
    assert _told(prod.put("pools/web", body)) == expected
    assert _told(prod.patch("pools/web", body)) == expected
    assert _told(prod.post("pools", {"id": "new", **body})) == expected


def test_a_zone_with_a_bad_ttl_and_a_bad_name_server(prod: Any) -> None:
    told = _told(prod.put("zones/example.com", {"nameservers": ["ns1..net"], "ttl": -1}))
    assert told == {"/ttl": "out_of_range", "/nameservers/0": "bad_name"}


def test_a_body_that_lacks_what_it_needs_has_no_echo(prod: Any) -> None:
    assert _told(prod.put("zones/example.com", {"ttl": 9})) == {"/nameservers": "required"}
    assert _told(prod.put("nodes/fra1", [])) == {"": "wrong_type"}
    assert _told(prod.patch("pools/web", {"nodes": ["Not an id"]})) == {"/nodes/0": "bad_form"}
    assert _told(prod.put("nodes/fra1", {"addresses": ["x"]})) == {"/addresses/0": "bad_value"}
