"""Tokens limited to zones and nodes see and change those alone, by whatever route."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from .conftest import DOCUMENT

ZONE = {"nameservers": ["ns1.example.net"]}
NODE = {"addresses": ["192.0.2.99"], "location": {"lat": 1, "lon": 1}}
TXT = {"values": ["x"]}
MINE = "zones/shop.example.com"


class Limited:
    """Speaks with one token's secret."""

    def __init__(self, api: Any, **limits: Any) -> None:
        self._api = api
        body = {"id": "t", "role": "operator", **limits}
        secret = api.post("tokens", body).json()["secret"]
        self._headers = {"Authorization": f"Bearer {secret}"}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        options = {} if body is None else {"json": body}
        return self._api.request(method, path, headers=self._headers, **options)

    def status(self, method: str, path: str, body: Any = None) -> int:
        found: int = self(method, path, body).status_code
        return found


@pytest.fixture
def shop(prod: Any) -> Limited:
    """An operator of what is below example.com, not of example.com itself."""
    prod.put(MINE, ZONE)
    prod.put(f"{MINE}/rrsets/www/TXT", TXT)
    return Limited(prod, zones=["*.example.com"])


@pytest.fixture
def fra(prod: Any) -> Limited:
    """An operator of the nodes in Frankfurt."""
    return Limited(prod, nodes=["fra*"])


def test_a_zone_and_all_in_it_can_be_changed(shop: Limited) -> None:
    assert shop.status("PUT", f"{MINE}/rrsets/www/TXT", {"values": ["y"]}) == 200
    assert shop.status("POST", f"{MINE}/steers", {"id": "@", "pool": "web"}) == 201
    assert shop.status("DELETE", f"{MINE}/rrsets/www/TXT") == 204
    assert shop.status("PUT", "zones/new.example.com", ZONE) == 201
    assert shop.status("POST", "zones", {"id": "newer.example.com", **ZONE}) == 201
    assert shop.status("DELETE", "zones/new.example.com") == 204
    assert shop.status("PATCH", "zones/SHOP.example.com", {"ttl": 60}) == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "zones/example.com", None),
        ("GET", "zones/absent.test", None),
        ("GET", "zones/example.com/rrsets", None),
        ("GET", "zones/EXAMPLE.COM/rrsets/mail/A", None),
        ("GET", "zones/example%2Ecom/zonefile", None),
        ("GET", "explain?name=www.example.com", None),
        ("GET", "explain?name=www.absent.test", None),
        ("GET", "audit", None),
        ("GET", "audit/verify", None),
        ("GET", "revisions/1", None),
        ("GET", "tokens", None),
        ("POST", "revisions/1/restore", None),
        ("PUT", "zones/example.com/rrsets/x/TXT", TXT),
        ("PATCH", "zones/example.com", {"ttl": 60}),
        ("DELETE", "zones/example.com", None),
        ("POST", "zones", {"id": "absent.test", **ZONE}),
        ("PUT", "nodes/fra1", NODE),
        ("PUT", "nodes/new", NODE),
        ("DELETE", "nodes/fra1", None),
        ("PATCH", "pools/web", {"answers": 2}),
        ("PATCH", "monitors/web", {"path": "/"}),
        ("PUT", "overrides/x", {"match": {"nodes": ["fra1"]}, "state": "down", "reason": "x"}),
        ("PUT", "webhooks/x", {"url": "https://example.net/"}),
        ("PUT", "networks/x", {"subnets": ["192.0.2.0/24"], "location": {"lat": 1, "lon": 1}}),
        ("PUT", "monitors/web/verdicts/fra1", {"state": "down"}),
        ("PUT", "nodes/fra1/heartbeat", {}),
    ],
)
def test_what_a_zone_operator_does_not_cover_is_forbidden(
    shop: Limited, prod: Any, method: str, path: str, body: Any
) -> None:
    before = prod.get("document").json()
    assert shop.status(method, path, body) == 403
    assert prod.get("document").json() == before


def test_lists_and_the_export_are_of_what_is_covered(shop: Limited) -> None:
    assert [zone["id"] for zone in shop("GET", "zones").json()["items"]] == ["shop.example.com"]
    assert len(shop("GET", "nodes").json()["items"]) == 4
    exported = shop("GET", "document").json()
    assert list(exported["zones"]) == ["shop.example.com"]
    assert len(exported["nodes"]) == 4
    again = shop("PUT", "document", exported)
    assert (again.status_code, again.json()["changed"]) == (200, False)
    assert shop.status("GET", "explain?name=www.shop.example.com") == 200


def test_a_page_of_a_filtered_list_is_full(shop: Limited, prod: Any) -> None:
    for number in range(3):
        prod.put(f"zones/a{number}.test", ZONE)
        prod.put(f"zones/a{number}.example.com", ZONE)
    first = shop("GET", "zones?limit=2").json()
    assert [zone["id"] for zone in first["items"]] == ["a0.example.com", "a1.example.com"]
    rest = shop("GET", f"zones?limit=2&cursor={first['next']}").json()
    assert [zone["id"] for zone in rest["items"]] == ["a2.example.com", "shop.example.com"]
    assert rest["next"] is None


def test_a_document_is_applied_if_all_that_it_changes_is_covered(shop: Limited) -> None:
    zones = {"shop.example.com": {**ZONE, "rrsets": {"a": {"TXT": ["1"]}}}}
    assert shop.status("POST", "plan", {"geodns": 1, "zones": zones}) == 200
    assert shop("PUT", "document", {"geodns": 1, "zones": zones}).json()["changed"]
    # What stands as it is may be in the document, too.
    whole = {**copy.deepcopy(DOCUMENT), "zones": zones}
    assert shop.status("PUT", "document", whole) == 200


@pytest.mark.parametrize("route", [("PUT", "document"), ("POST", "plan"), ("PUT", "document?plan")])
def test_a_document_with_one_change_beyond_changes_nothing(
    shop: Limited, prod: Any, route: tuple[str, str]
) -> None:
    document = {
        "geodns": 1,
        "zones": {"shop.example.com": {**ZONE, "ttl": 5}, "other.test": ZONE},
        "nodes": {"fra1": {**DOCUMENT["nodes"]["fra1"], "weight": 1}},
    }
    before = prod.get("document").json()
    reply = shop(*route, document)
    assert reply.status_code == 403
    pointers = [reason["pointer"] for reason in reply.json()["reasons"]]
    assert pointers == ["/zones/other.test", "/nodes/fra1"]
    assert prod.get("document").json() == before


def test_pruning_removes_nothing_that_is_not_covered(shop: Limited) -> None:
    document = {"geodns": 1, "name": "prod", "zones": {"shop.example.com": ZONE}}
    assert shop.status("PUT", "document?prune&force&reason=x", document) == 403


def test_a_node_operator_changes_and_drains_its_nodes(fra: Limited) -> None:
    drain = {"match": {"nodes": ["fra1"]}, "state": "down", "reason": "work"}
    assert fra.status("PATCH", "nodes/fra1", {"weight": 5}) == 200
    assert fra.status("PUT", "nodes/fra2", NODE) == 201
    assert fra.status("PUT", "overrides/work", drain) == 201
    assert fra.status("PATCH", "overrides/work", {"match": {"labels": {"a": ["b"]}}}) == 200
    assert fra.status("DELETE", "overrides/work") == 204
    assert [node["id"] for node in fra("GET", "nodes").json()["items"]] == ["fra1", "fra2"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "nodes/mil1", None),
        ("PATCH", "nodes/mil1", {"weight": 5}),
        ("POST", "nodes", {"id": "mil2", **NODE}),
        ("DELETE", "nodes/mil1", None),
        ("GET", "zones/example.com", None),
        ("PUT", "zones/fra1", ZONE),
        ("PUT", "overrides/x", {"match": {"pools": ["web"]}, "state": "down", "reason": "x"}),
        (
            "PUT",
            "overrides/x",
            {"match": {"nodes": ["fra1", "mil1"]}, "state": "up", "reason": "x"},
        ),
        ("PATCH", "overrides/theirs", {"match": {"nodes": ["fra1"]}}),
        ("DELETE", "overrides/theirs", None),
    ],
)
def test_what_a_node_operator_does_not_cover_is_forbidden(
    fra: Limited, prod: Any, method: str, path: str, body: Any
) -> None:
    theirs = {"match": {"nodes": ["mil1"]}, "state": "down", "reason": "x"}
    prod.put("overrides/theirs", theirs)
    assert fra.status(method, path, body) == 403
    assert fra("GET", "zones").json()["items"] == []


def test_a_reader_is_limited_like_an_operator_and_writes_nothing(prod: Any) -> None:
    reader = Limited(prod, role="reader", zones=["example.com"])
    assert reader.status("GET", "zones/example.com") == 200
    assert reader.status("GET", "zones/other.test") == 403
    assert reader.status("PATCH", "zones/example.com", {"ttl": 5}) == 403


def test_a_limit_that_is_changed_holds_from_the_next_request(shop: Limited, prod: Any) -> None:
    assert shop.status("GET", "zones/example.com") == 403
    assert prod.patch("tokens/t", {"zones": ["example.com"]}).status_code == 200
    assert shop.status("GET", "zones/example.com") == 200
    assert shop.status("GET", MINE) == 403


def test_a_brake_holds_for_limited_tokens_and_what_is_planned_is_judged(shop: Limited) -> None:
    assert shop.status("PUT", f"{MINE}/rrsets/a/TXT?plan=true", TXT) == 200
    assert shop.status("PUT", "zones/example.com/rrsets/a/TXT?plan=true", TXT) == 403
