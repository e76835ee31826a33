"""Rules, splits, networks, places and latency tables over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

WWW = "zones/example.com/steers/www"
CSV = "from,node,rtt_ms,samples\nEU-DE,fra1,12.5,100\nNA-US-CA,nyc1,8,3\n"


def put_csv(api: Any, text: str, path: str = "latency/measured", **headers: str) -> Any:
    return api.raw("PUT", path, text.encode(), **{"content_type": "text/csv"} | headers)


def told(reply: Any) -> list[tuple[str, str]]:
    return [(reason["pointer"], reason["code"]) for reason in reply.json()["reasons"]]


# --- Steers ---


def test_a_steer_carries_its_rules_and_how_it_is_compiled(prod: Any) -> None:
    rule = {"geos": ["EU27"], "subnets": ["10.0.0.0/8"], "split": {"web": 1}, "fence": True}
    assert prod.put(WWW, {"pool": "web", "rules": [rule]}).status_code == 200
    shown = prod.get(WWW).json()
    assert shown["rules"] == [{"asns": [], "pool": None, **rule}]
    assert shown["status"] == {"cache_entries": {"v4": 9, "v6": 4}, "classes": 3}


def test_what_is_shown_can_be_put_back(prod: Any) -> None:
    prod.put(WWW, {"pool": "web", "rules": [{"geos": ["EU"], "pool": "web", "fence": True}]})
    shown = prod.get(WWW).json()
    again = prod.put(WWW, shown)
    assert (again.status_code, again.json()["revision"]) == (200, shown["revision"])


def test_a_split_takes_the_place_of_a_pool_and_the_other_way_round(prod: Any) -> None:
    split = prod.patch(WWW, {"split": {"web": 95}}).json()
    assert (split["pool"], split["split"]) == (None, {"web": 95})
    pool = prod.patch(WWW, {"pool": "web"}).json()
    assert (pool["pool"], pool["split"]) == ("web", None)
    assert prod.patch(WWW, {"pool": "web", "split": {"web": 1}}).status_code == 422


def test_a_contradiction_changes_nothing(prod: Any) -> None:
    before = (prod.get("document").json(), len(prod.publisher.published))
    refused = prod.put(
        WWW, {"pool": "web", "rules": [{"geos": ["EU"], "pool": "webb"}, {"geos": ["EU"]}]}
    )
    assert refused.status_code == 422
    assert told(refused) == [
        ("/rules/0/pool", "unknown_reference"),
        ("/rules/1/pool", "required"),
        ("/rules/1/geos/0", "duplicate"),
    ]
    assert refused.json()["reasons"][0]["hint"] == "Did you mean web?"
    assert (prod.get("document").json(), len(prod.publisher.published)) == before


def test_a_pool_that_a_rule_names_cannot_be_removed(prod: Any) -> None:
    prod.put("pools/eu", {"nodes": ["fra1"]})
    prod.put(WWW, {"pool": "web", "rules": [{"geos": ["EU"], "split": {"eu": 1}}]})
    refused = prod.delete("pools/eu")
    assert refused.status_code == 409
    assert told(refused) == [
        ("/zones/example.com/steers/www/rules/0/split/eu", "in_use"),
    ]


def test_taking_all_rules_out_is_braked(prod: Any) -> None:
    rules = [{"geos": [geo], "pool": "web", "fence": True} for geo in ("EU", "NA")]
    prod.put(WWW, {"pool": "web", "rules": rules})
    assert told(prod.patch(WWW, {"rules": []})) == [("", "brake")]
    assert prod.patch(WWW, {"rules": rules[:1]}).status_code == 200
    assert prod.patch(WWW, {"rules": []}).status_code == 200


def test_autonomous_systems_need_a_database(prod: Any) -> None:
    refused = prod.put(WWW, {"pool": "web", "rules": [{"asns": [64500], "pool": "web"}]})
    assert told(refused) == [("/rules/0/asns", "no_asn_db")]
    document = prod.get("document").json()
    document["nodes"]["fra1"]["refuses"] = {"asns": [64500]}
    assert told(prod.put("document", document)) == [("/nodes/fra1/refuses/asns", "no_asn_db")]


def test_a_rule_with_the_most_subnets_fits_into_a_body(prod: Any) -> None:
    subnets = [f"2001:db8:{i >> 8:x}:{i & 255:x}00::/56" for i in range(65_536)]
    rule = {"subnets": subnets, "pool": "web"}
    assert prod.put(WWW, {"pool": "web", "rules": [rule]}).status_code == 200
    rule["subnets"] = [*subnets, "10.0.0.0/8"]
    assert told(prod.put(WWW, {"pool": "web", "rules": [rule]})) == [
        ("/rules/0/subnets", "too_many")
    ]


# --- Places ---


def test_a_node_may_stand_at_a_place_with_a_name(prod: Any) -> None:
    made = prod.put("nodes/fra2", {"addresses": ["192.0.2.11"], "at": "FRA"})
    assert made.status_code == 201
    shown = prod.get("nodes/fra2").json()
    assert (shown["at"], shown["location"]) == ("FRA", None)
    assert shown["status"]["location"] == {"lat": 50.03, "lon": 8.54}
    assert prod.put("nodes/fra2", shown).status_code == 200


def test_a_name_takes_the_place_of_coordinates_and_the_other_way_round(prod: Any) -> None:
    moved = prod.patch("nodes/fra1", {"at": "Milan, IT"}).json()
    assert (moved["at"], moved["location"]) == ("Milan, IT", None)
    back = prod.patch("nodes/fra1", {"location": {"lat": 1, "lon": 2}}).json()
    assert (back["at"], back["location"]) == (None, {"lat": 1.0, "lon": 2.0})
    both = {"at": "FRA", "location": {"lat": 1, "lon": 2}}
    assert told(prod.patch("nodes/fra1", both)) == [("/location", "contradiction")]


def test_a_node_without_either_is_looked_up_again(prod: Any) -> None:
    prod.put("nodes/fra2", {"addresses": ["192.0.2.11"], "at": "FRA"})
    found = prod.put("nodes/fra2", {"addresses": ["192.0.2.11"]}).json()
    assert found["location"] == {"lat": 50.11, "lon": 8.68}


def test_an_ambiguous_place_is_refused_with_the_choices(prod: Any) -> None:
    refused = prod.put("nodes/x", {"addresses": ["192.0.2.11"], "at": "Springfield"})
    assert told(refused) == [("/at", "ambiguous")]
    assert "Springfield, US-IL" in refused.json()["reasons"][0]["detail"]


# --- Networks ---


def test_a_network_is_a_resource_like_others(api: Any) -> None:
    body = {"subnets": ["198.51.101.0/24", "2A00:0:7::/48"], "at": "MXP"}
    made = api.put("networks/office", body)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/networks/office")
    shown = api.get("networks/office").json()
    assert shown["subnets"] == ["198.51.101.0/24", "2a00:0:7::/48"]
    assert shown["status"] == {"location": {"lat": 45.63, "lon": 8.73}}
    assert [each["id"] for each in api.get("networks").json()["items"]] == ["office"]
    assert api.get("document").json()["networks"]["office"]["at"] == "MXP"
    assert api.patch("networks/office", {"location": {"lat": 1, "lon": 2}}).json()["at"] is None
    assert api.delete("networks/office").status_code == 204
    assert api.get("networks/office").status_code == 404


def test_a_network_of_private_addresses_is_told(api: Any) -> None:
    made = api.put("networks/office", {"subnets": ["10.0.0.0/8"], "at": "MXP"})
    assert [each["code"] for each in made.json()["warnings"]] == ["special_purpose"]


# --- Latency tables ---


def test_a_table_goes_in_and_out_as_csv(prod: Any) -> None:
    made = put_csv(prod, CSV)
    assert made.status_code == 201
    assert made.json() | {"revision": 0, "warnings": []} == {
        "id": "measured", "revision": 0, "rows": 2, "nodes": 2, "warnings": [],
    }  # fmt: skip
    shown = prod.get("latency/measured")
    assert shown.text == CSV
    assert shown.headers["Content-Type"].startswith("text/csv")
    assert put_csv(prod, CSV, if_match=shown.headers["ETag"]).status_code == 200
    assert put_csv(prod, CSV, if_match='"999"').status_code == 412
    (item,) = prod.get("latency").json()["items"]
    assert (item["id"], item["rows"]) == ("measured", 2)
    assert prod.get("document").json()["latency"] == {
        "measured": [["EU-DE", "fra1", 12.5, 100], ["NA-US-CA", "nyc1", 8.0, 3]]
    }


def test_a_table_is_part_of_the_document(prod: Any) -> None:
    document = prod.get("document").json()
    document["latency"] = {"a": [["EU-DE", "fra1", 1, 1]], "b": {"rows": [["AS1", "fra1", 2, 2]]}}
    assert prod.put("document", document).status_code == 200
    assert prod.get("latency/b").text == "from,node,rtt_ms,samples\nAS1,fra1,2,2\n"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (CSV + "EU-DE,fra1,9,9\n", "Line 4: The way from EU-DE to fra1 is in row 0 already."),
        (CSV + "EU-FR,fra9,9,9\n", "Line 4, node: No node fra9."),
        (CSV + "EU-FR,fra1,0,9\n", "Line 4, rtt_ms: Must be above 0."),
        (CSV + "EU-FR,fra1\n", "Line 4 has 2 fields, not 4."),
        ("a,b\n", "Line 1 must be the header from,node,rtt_ms,samples."),
    ],
)
def test_a_bad_row_is_refused_with_its_line(prod: Any, text: str, detail: str) -> None:
    refused = put_csv(prod, text)
    assert refused.status_code == 422
    assert [reason["detail"] for reason in refused.json()["reasons"]] == [detail]
    assert prod.get("latency/measured").status_code == 404


def test_a_table_is_csv_and_nothing_else(prod: Any) -> None:
    assert prod.put("latency/measured", {"rows": []}).status_code == 415
    assert prod.post("latency", {"id": "x"}).status_code == 405
    assert prod.patch("latency/measured", {}).status_code == 405


def test_a_table_that_a_pool_is_ordered_by_cannot_be_removed(prod: Any) -> None:
    put_csv(prod, CSV)
    prod.patch("pools/web", {"order": "latency", "latency": "measured"})
    refused = prod.delete("latency/measured")
    assert (refused.status_code, told(refused)) == (409, [("/pools/web/latency", "in_use")])
    prod.patch("pools/web", {"order": "nearest", "latency": None})
    assert prod.delete("latency/measured").status_code == 204


def test_a_node_in_a_table_cannot_be_removed(prod: Any) -> None:
    put_csv(prod, CSV)
    prod.patch("pools/web", {"nodes": ["mil1", "nyc1", "sin1"]})
    assert told(prod.delete("nodes/fra1")) == [("/latency/measured/rows/0/1", "in_use")]


def test_the_contract_names_what_there_is(api: Any) -> None:
    contract = api.get("/openapi.json").json()
    csv = contract["paths"]["/api/v1/latency/{id}"]["put"]["requestBody"]["content"]
    assert list(csv) == ["text/csv"]
    assert {"Network", "Latency", "Rule", "Matchers"} <= contract["components"]["schemas"].keys()
    assert {"networks", "latency"} <= contract["components"]["schemas"]["Document"][
        "properties"
    ].keys()
