"""Lists: filters, cursors that hold while the list changes, and reads that need no body."""

from __future__ import annotations

from typing import Any

import pytest

POINT = {"lat": 1.0, "lon": 2.0}


@pytest.fixture
def fleet(prod: Any) -> Any:
    for number in range(6):
        labels = {"tier": "edge" if number % 2 else "core", "site": f"s{number // 2}"}
        node = {"addresses": [f"203.0.113.{number}"], "location": POINT, "labels": labels}
        assert prod.put(f"nodes/x{number}", node).status_code == 201
    prod.put("pools/spare", {"select": {"tier": "core"}, "fallback": "web"})
    prod.put("networks/hq", {"subnets": ["198.51.100.0/24"], "location": POINT})
    prod.put("overrides/o", {"match": {"nodes": ["x1"]}, "state": "down", "reason": "test"})
    hook = {"url": "https://198.51.100.1/", "events": ["alarm"]}
    assert prod.put("webhooks/chat", hook).status_code == 201
    return prod


def ids(api: Any, path: str) -> list[str]:
    reply = api.get(path)
    assert reply.status_code == 200, reply.text
    return [each["id"] for each in reply.json()["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("nodes?prefix=x", ["x0", "x1", "x2", "x3", "x4", "x5"]),
        ("nodes?label=tier=edge", ["x1", "x3", "x5"]),
        ("nodes?label=tier=edge,site=s1", ["x3"]),
        ("nodes?label=site&prefix=x5", ["x5"]),
        ("nodes?label=none", []),
        ("nodes?pool=spare", ["x0", "x2", "x4"]),
        ("nodes?pool=nowhere", []),
        ("nodes?state=up&prefix=f", ["fra1"]),
        ("nodes?state=down", []),
        ("nodes?address=203.0.113.2", ["x2"]),
        ("nodes?address=203.0.113.0/30", ["x0", "x1", "x2", "x3"]),
        ("nodes?address=2001:db8::/32", []),
        ("pools?node=x4", ["spare"]),
        ("pools?monitor=web", ["web"]),
        ("pools?fallback=web", ["spare"]),
        ("monitors?type=http", ["web"]),
        ("monitors?type=tcp", []),
        ("networks?address=198.51.100.7", ["hq"]),
        ("networks?address=198.51.101.7", []),
        ("overrides?state=down", ["o"]),
        ("overrides?node=x1", ["o"]),
        ("overrides?node=x2", []),
        ("webhooks?event=alarm", ["chat"]),
        ("webhooks?format=slack", []),
        ("zones?prefix=ex", ["example.com"]),
        ("zones/example.com/steers?pool=web", ["@", "www"]),
        ("zones/example.com/steers?pool=spare", []),
        ("zones/example.com/rrsets?type=mx", ["@/MX"]),
        ("zones/example.com/rrsets?owner=MAIL", ["mail/A"]),
        ("zones/example.com/rrsets?value=192.0.2.25", ["mail/A"]),
        ("zones/example.com/rrsets?prefix=ma", ["mail/A"]),
    ],
)
def test_a_list_can_be_narrowed(fleet: Any, query: str, found: list[str]) -> None:
    assert ids(fleet, query) == found


@pytest.mark.parametrize(
    "query",
    ["nodes?state=broken", "nodes?address=here", "nodes?label==x", "monitors?type=carrier-pigeon",
     "zones/example.com/rrsets?type=NONE", "zones/example.com/rrsets?owner=a..b",
     "webhooks?event=x", "pools?colour=red", "nodes?state=up&state=down", "latency?node=x",
     f"nodes?prefix={'x' * 1025}"],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused(fleet: Any, query: str) -> None:
    reply = fleet.get(query)
    assert reply.status_code == 422
    assert reply.json()["reasons"][0]["detail"]


def test_filtered_pages_are_full_and_end(fleet: Any) -> None:
    first = fleet.get("nodes?label=tier=edge&limit=2").json()
    assert [each["id"] for each in first["items"]] == ["x1", "x3"]
    rest = fleet.get(f"nodes?label=tier=edge&limit=2&cursor={first['next']}").json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (["x5"], None)


def test_a_cursor_holds_while_the_list_changes(fleet: Any) -> None:
    first = fleet.get("nodes?prefix=x&limit=3").json()
    assert first["next"] == "x2"
    fleet.delete("nodes/x2?force=true&reason=test")
    fleet.put("nodes/a0", {"addresses": ["203.0.113.90"], "location": POINT})
    fleet.put("nodes/x33", {"addresses": ["203.0.113.91"], "location": POINT})
    assert ids(fleet, f"nodes?prefix=x&cursor={first['next']}") == ["x3", "x33", "x4", "x5"]


@pytest.mark.parametrize(
    "path",
    ["nodes/x1", "pools/spare", "zones/example.com", "zones/example.com/steers/www",
     "zones/example.com/rrsets/mail/A", "zones/example.com/zonefile", "document", "webhooks/chat"],
)  # fmt: skip
def test_who_has_it_already_is_spared_the_body(fleet: Any, path: str) -> None:
    tag = fleet.get(path).headers["ETag"]
    for field in (tag, f"W/{tag}", f'"other,one", {tag}', "*"):
        reply = fleet.get(path, headers={"If-None-Match": field})
        assert (reply.status_code, reply.content, reply.headers["ETag"]) == (304, b"", tag)
    assert fleet.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert fleet.get(path, headers={"If-None-Match": "7"}).status_code == 422


def test_of_two_who_edit_one_master_file_the_second_is_told(prod: Any) -> None:
    read = prod.get("zones/example.com/zonefile")
    text = {"Content-Type": "text/dns", "If-Match": read.headers["ETag"]}
    prod.put("zones/example.com/rrsets/new/A", {"values": ["192.0.2.99"]})
    late = prod.request("PUT", "zones/example.com/zonefile", content=read.content, headers=text)
    assert late.status_code == 412
    text["If-Match"] = prod.get("zones/example.com/zonefile").headers["ETag"]
    again = prod.request("PUT", "zones/example.com/zonefile", content=read.content, headers=text)
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("nodes", "GET, HEAD, POST"),
        ("nodes/fra1", "DELETE, GET, HEAD, PATCH, PUT"),
        ("document", "GET, HEAD, PUT"),
        ("plan", "POST"),
    ],
)
def test_a_path_tells_its_methods(prod: Any, path: str, methods: str) -> None:
    told = prod.request("OPTIONS", path)
    assert (told.status_code, told.content) == (204, b"")
    refused = prod.request("TRACE", path)
    assert refused.status_code == 405
    for reply in (told, refused):
        assert sorted(reply.headers["Allow"].split(", ")) == methods.split(", ")
    assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["nodes/fra1", "nodes", "document", "status"])
def test_head_is_get_without_a_body(prod: Any, path: str) -> None:
    head, get = prod.request("HEAD", path), prod.get(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Content-Type", "Content-Length"):
        assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize("accept", ["text/html", "application/xml;q=1", "*/*;q=0", "nonsense"])
def test_whatever_is_asked_for_there_is_one_form(prod: Any, accept: str) -> None:
    # RFC 9110 §12.5.1: a server may disregard Accept rather than refuse.
    reply = prod.get("nodes/fra1", headers={"Accept": accept})
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/json")
