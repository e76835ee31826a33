"""The six kinds of resources: what every one of them can do, and what only some."""

from __future__ import annotations

from typing import Any

import pytest

from geodns.api.service import Service

NODE = {"addresses": ["198.51.100.1"], "location": {"lat": 1.0, "lon": 2.0}}

# path, a body for it, a patch, and a field the patch changes
KINDS: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    ("zones", "new.test", {"nameservers": ["ns.example.net"]}, {"ttl": 60}, "ttl"),
    ("nodes", "lon1", NODE, {"weight": 7}, "weight"),
    ("pools", "far", {"nodes": ["sin1"]}, {"answers": 2}, "answers"),
    ("monitors", "tcp", {"type": "tcp", "port": 25}, {"port": 26}, "port"),
    ("zones/example.com/steers", "play", {"pool": "web"}, {"ttl": 20}, "ttl"),
    ("zones/example.com/rrsets", "txt/TXT", {"values": ['"x"']}, {"ttl": 9}, "ttl"),
]
every_kind = pytest.mark.parametrize(
    ("collection", "id_", "body", "change", "field"), KINDS, ids=[each[0] for each in KINDS]
)


@every_kind
def test_a_resource_is_created_read_changed_and_removed(
    prod: Any, collection: str, id_: str, body: Any, change: Any, field: str
) -> None:
    path = f"{collection}/{id_}"
    created = prod.put(path, body)
    assert created.status_code == 201
    assert created.headers["Location"] == f"/api/v1/{path}"
    read = prod.get(path)
    assert read.status_code == 200
    assert read.headers["ETag"] == created.headers["ETag"] == f'"{read.json()["revision"]}"'
    assert read.json()["id"] == id_
    assert body.items() <= read.json().items()

    changed = prod.patch(path, change)
    assert changed.status_code == 200
    assert changed.json()[field] == change[field]
    assert changed.headers["ETag"] != created.headers["ETag"]

    replaced = prod.put(path, body)
    assert replaced.status_code == 200
    assert replaced.json()[field] == read.json()[field]
    assert prod.delete(path).status_code == 204
    assert prod.get(path).status_code == 404


@every_kind
def test_what_get_answers_can_be_put_back_and_changes_nothing(
    prod: Any, collection: str, id_: str, body: Any, change: Any, field: str
) -> None:
    path = f"{collection}/{id_}"
    written = prod.put(path, body)
    generation = prod.publisher.generation
    for seen in (prod.get(path).json(), written.json()):
        again = prod.put(path, seen)
        assert again.status_code == 200
        assert again.headers["ETag"] == written.headers["ETag"]
    assert prod.publisher.generation == generation
    assert len(prod.store.audit(before=None, limit=100, revisions=True)) == 2


@every_kind
def test_post_creates_once(
    prod: Any, collection: str, id_: str, body: Any, change: Any, field: str
) -> None:
    created = prod.post(collection, {"id": id_, **body})
    assert created.status_code == 201
    assert created.headers["Location"] == f"/api/v1/{collection}/{id_}"
    again = prod.post(collection, {"id": id_, **body})
    assert again.status_code == 409
    assert again.json()["reasons"][0]["code"] == "exists"
    assert prod.post(collection, body).json()["reasons"][0]["pointer"] == "/id"


@every_kind
def test_preconditions_guard_a_write(
    prod: Any, collection: str, id_: str, body: Any, change: Any, field: str
) -> None:
    path = f"{collection}/{id_}"
    assert prod.put(path, body, headers={"If-Match": '"1"'}).status_code == 412
    tag = prod.put(path, body, headers={"If-None-Match": "*"}).headers["ETag"]
    assert prod.put(path, body, headers={"If-None-Match": "*"}).status_code == 412
    assert prod.patch(path, change, headers={"If-Match": '"9999"'}).status_code == 412
    assert prod.patch(path, change, headers={"If-Match": f"W/{tag}"}).status_code == 412
    assert prod.patch(path, change, headers={"If-Match": f'"x", {tag}'}).status_code == 200
    stale = prod.delete(path, headers={"If-Match": tag})
    assert stale.status_code == 412
    assert stale.json()["type"] == "/problems/stale"
    assert prod.delete(path, headers={"If-Match": "*"}).status_code == 204


@every_kind
def test_a_planned_write_is_answered_and_not_done(
    prod: Any, collection: str, id_: str, body: Any, change: Any, field: str
) -> None:
    path = f"{collection}/{id_}"
    answer = prod.put(path, body, params={"plan": "true"})
    assert answer.status_code == 200
    assert [each["kind"] for each in answer.json()["changes"]] == ["add"]
    assert prod.get(path).status_code == 404
    prod.put(path, body)
    planned = prod.patch(path, change, params={"plan": "true"}).json()["changes"][0]
    assert planned["kind"] == "change"
    assert planned["after"][field] == change[field]
    removal = prod.delete(path, params={"plan": "true"})
    assert removal.status_code == 200
    assert [each["kind"] for each in removal.json()["changes"]] == ["remove"]
    assert prod.get(path).status_code == 200


@every_kind
def test_an_unknown_field_is_refused_and_named(
    prod: Any, collection: str, id_: str, body: Any, change: Any, field: str
) -> None:
    refused = prod.put(f"{collection}/{id_}", {**body, "colour": "red"})
    assert refused.status_code == 422
    assert [(each["pointer"], each["code"]) for each in refused.json()["reasons"]] == [
        ("/colour", "unknown_field")
    ]


@pytest.mark.parametrize(
    ("collection", "id_"),
    [("nodes", "a/b"), ("zones/example.com/rrsets", "www"), ("zones/example.com/rrsets", "a/A/b"),
     ("nodes", ""), ("nodes", 7), ("nodes", None)],
)  # fmt: skip
def test_an_id_of_another_form_is_refused(prod: Any, collection: str, id_: object) -> None:
    refused = prod.post(collection, {"id": id_, **NODE})
    assert refused.status_code == 422
    assert refused.json()["reasons"][0]["pointer"] == "/id"


# --- Lists ---


def test_a_list_comes_in_pages(prod: Any) -> None:
    ids, cursor = [], None
    while True:
        page = prod.get("nodes", params={"limit": 3, **({"cursor": cursor} if cursor else {})})
        ids += [item["id"] for item in page.json()["items"]]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert ids == ["fra1", "mil1", "nyc1", "sin1"]


def test_a_page_that_is_exactly_full_is_the_last(prod: Any) -> None:
    assert prod.get("nodes", params={"limit": 4}).json()["next"] is None


def test_a_zone_lists_only_its_own(prod: Any) -> None:
    prod.put("zones/other.test", {"nameservers": ["ns.example.net"]})
    prod.put("zones/other.test/steers/www", {"pool": "web"})
    ids = [item["id"] for item in prod.get("zones/example.com/steers").json()["items"]]
    assert ids == ["@", "www"]
    assert prod.get("zones/example.com/rrsets").json()["items"][0]["id"] == "@/MX"
    assert prod.get("zones/nowhere.test/rrsets").status_code == 404


def test_nodes_carry_their_health(prod: Any) -> None:
    status = prod.get("nodes/fra1").json()["status"]
    assert (status["state"], status["targets"]) == ("up", [])


# --- Names in URLs ---


@pytest.mark.parametrize("spelling", ["EXAMPLE.com", r"ex\097mple.com"])
def test_a_zone_has_one_spelling(prod: Any, spelling: str) -> None:
    assert prod.get(f"zones/{spelling}").json()["id"] == "example.com"


def test_an_owner_with_a_slash_is_written_by_number(prod: Any) -> None:
    path = r"zones/example.com/rrsets/0\0470.in/ptr"
    created = prod.put(path, {"values": ["host.example.com."]})
    assert created.status_code == 201
    assert created.json()["id"] == r"0\0470.in/PTR"
    assert prod.request("GET", created.headers["Location"]).status_code == 200


def test_the_root_zone_is_an_at_sign(api: Any) -> None:
    servers = [{"name": "ns.example.net", "addresses": ["192.0.2.53"]}]
    assert api.put("zones/@", {"nameservers": servers}).status_code == 201
    assert api.get("zones/@").json()["id"] == "@"


@pytest.mark.parametrize(
    "path",
    [
        "zones/example.com.",
        "zones/a..b",
        "zones/" + "a" * 64,
        "zones/example.com/rrsets/www/NOPE",
        "zones/example.com/rrsets/www/SOA",
        "nodes/Fra1",
        "nodes/-a",
        "nodes/a%0A",
        "nodes/" + "a" * 64,
    ],
)
def test_a_bad_name_in_a_url_is_refused(prod: Any, path: str) -> None:
    assert prod.put(path, {}).status_code == 422


def test_nothing_can_be_put_into_a_zone_that_is_not_there(prod: Any) -> None:
    refused = prod.put("zones/nowhere.test/steers/www", {"pool": "web"})
    assert refused.status_code == 404
    assert "nowhere.test" in refused.json()["detail"]


# --- Faults that only the whole document shows ---


def test_pointers_lead_into_the_body_where_the_fault_is_in_it(prod: Any) -> None:
    refused = prod.put("pools/web", {"nodes": ["fra1", "mil9"], "monitor": "wep"})
    assert refused.status_code == 422
    reasons = {each["pointer"]: each for each in refused.json()["reasons"]}
    assert reasons["/nodes/1"]["hint"] == "Did you mean mil1?"
    assert reasons["/monitor"]["value"] == "wep"


def test_pointers_lead_into_the_document_where_the_fault_is_elsewhere(prod: Any) -> None:
    body = {"nameservers": ["ns1.example.com"]}
    assert prod.put("zones/example.com", body).json()["reasons"][0]["pointer"] == "/nameservers/0"
    taken = prod.put("nodes/aaa", {**NODE, "addresses": ["192.0.2.10"]}).json()["reasons"]
    assert taken[0]["code"] == "duplicate_address"


def test_rdata_faults_point_at_the_value(prod: Any) -> None:
    refused = prod.put("zones/example.com/rrsets/a/A", {"values": ["192.0.2.1", "300.1.1.1"]})
    assert [each["pointer"] for each in refused.json()["reasons"]] == ["/values/1"]


@pytest.mark.parametrize(
    ("path", "pointer", "user"),
    [
        ("nodes/fra1", "/pools/web/nodes/0", "pool web"),
        ("monitors/web", "/pools/web/monitor", "pool web"),
        ("pools/web", "/zones/example.com/steers/www/pool", "steer www of zone example.com"),
    ],
)
def test_what_is_in_use_stays(prod: Any, path: str, pointer: str, user: str) -> None:
    refused = prod.delete(path, params={"force": "true", "reason": "no way"})
    assert refused.status_code == 409
    reasons = {each["pointer"]: each for each in refused.json()["reasons"]}
    assert reasons[pointer]["code"] == "in_use"
    assert reasons[pointer]["detail"].endswith(f"is used by {user}.")
    assert prod.get(path).status_code == 200


def test_a_removal_that_breaks_something_else_is_a_conflict(prod: Any) -> None:
    prod.put("zones/example.com/rrsets/ns/A", {"values": ["192.0.2.53"]})
    prod.put("zones/example.com", {"nameservers": ["ns.example.com"]})
    refused = prod.delete("zones/example.com/rrsets/ns/A")
    assert refused.status_code == 409
    assert refused.json()["reasons"][0]["code"] == "glue_missing"


# --- PATCH ---


def test_a_patch_merges_and_null_removes(prod: Any) -> None:
    prod.patch("monitors/web", {"headers": {"X-A": "1", "X-B": "2"}, "rise": 3})
    patched = prod.patch("monitors/web", {"headers": {"X-A": None}, "rise": None}).json()
    assert patched["headers"] == {"X-B": "2"}
    assert patched["rise"] == 2
    assert patched["path"] == "/healthz"


def test_a_patch_has_its_own_media_type(prod: Any) -> None:
    options = {"content_type": "application/merge-patch+json"}
    assert prod.raw("PATCH", "nodes/fra1", b'{"weight":5}', **options).status_code == 200
    assert prod.raw("PUT", "nodes/fra1", b'{"weight":5}', **options).status_code == 415


def test_a_patch_of_nothing_is_not_found(prod: Any) -> None:
    assert prod.patch("nodes/none", {"weight": 1}).status_code == 404


# --- Zones hold others ---


def test_a_zone_goes_with_what_is_in_it_but_only_by_force(prod: Any) -> None:
    held = prod.delete("zones/example.com")
    assert held.status_code == 409
    assert held.json()["type"] == "/problems/brake"
    forced = prod.delete("zones/example.com", params={"force": "true", "reason": "moved away"})
    assert forced.status_code == 204
    assert prod.get("zones/example.com/steers").status_code == 404
    assert prod.service.config.steers == prod.service.config.rrsets == {}


def test_everything_is_still_there_after_a_restart(prod: Any) -> None:
    before = prod.get("document").json()
    again = Service(prod.store, prod.publisher, prod.geo)
    assert again.export() == before
    assert again.revision == prod.service.revision
