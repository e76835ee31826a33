"""Odd paths, ids and names are refused in the one form of errors, whatever they try."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import quote

import pytest

NODE = {"addresses": ["198.51.100.9"], "location": {"lat": 1.0, "lon": 2.0}}

IDS = [
    "..", ".", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%2Fb", "a%5Cb", "%00", "a%00", "a%0a",
    "a%0d%0aX",
    "%ff", "%c0%af", "%zz", "%", "a%20", "%20a", "A", "-a", "a-", "a_b", "a.b", "1a", "a" * 64,
    "a" * 10_000, "%F0%9F%92%A9", "fra1%EF%BC%8F", "fr%D0%B01", "%E2%80%AEfra1", "fra1%E2%80%8B",
    "fra1;a=b", "fra1,mil1", "*", "@", "~", "$%7Bx%7D", "%3Cscript%3E", "'", "%22", "fra1%3F",
    "fra1%23", "__proto__",
]  # fmt: skip
"""Among them ids but for their case, a letter that looks alike, or an end that is not seen."""

NAMES = ["a..b", ".a", "a.", "%00.example", "a%00b", "b%C3%BCcher.example", "xn--" + "a" * 64,
         ".".join(["a" * 63] * 5), "a%20b", "%5C999", "%5C", "a%0ab", "..", "%2e%2e",
         "%7f"]  # fmt: skip

OUTSIDE = ["", "/", "//", "/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/nodes", "/api/v1/nodes/",
           "/api/v1//nodes", "//api/v1/nodes", "/api/v1/nodes//", "/api/v1/nodes/fra1/",
           "/API/v1/nodes",
           "/api/v1/nodes/fra1/x", "/api/v1/./nodes", "/api/v1/pools/../nodes",
           "/api/v1/nodes/fra1/..",
           "/api%2fv1%2fnodes", "/%2e%2e/api/v1/nodes", "/api/v1/node%73/", "/api/v1/constructor",
           "/api/v1/nodes%00", "/openapi.json/", "/docs/../api/v1/nodes", "/etc/passwd",
           "/api/v1/zones/example.com/", "/api/v1/zones//steers",
           "/api/v1/nodes?%00", "/api/v1/nodes?\\"]  # fmt: skip


def is_refused(reply: Any) -> bool:
    """Whether it is an error in the one form, with reasons that can be shown to anybody."""
    assert 400 <= reply.status_code < 500, reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    problem = reply.json()
    assert problem["status"] == reply.status_code
    assert problem["request_id"] == reply.headers["X-Request-Id"]
    assert problem["reasons"]
    assert len(reply.content) < 5000
    for reason in problem["reasons"]:
        assert reason["detail"]
        assert len(reason["detail"]) <= 700
    return True


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("odd", IDS)
def test_an_id_that_is_none_is_refused_everywhere(shared: Any, method: str, odd: str) -> None:
    before = shared.service.revision
    for section in ("nodes", "pools", "overrides"):
        body = None if method in ("GET", "DELETE") else json.dumps(NODE).encode()
        assert is_refused(wire(shared, method, f"/api/v1/{section}/{odd}", body))
    assert shared.service.revision == before


@pytest.mark.parametrize("odd", [odd for odd in IDS if "%" not in odd])
def test_the_same_ids_are_refused_in_bodies(shared: Any, odd: str) -> None:
    assert is_refused(shared.post("nodes", {"id": odd, **NODE}))
    assert is_refused(shared.put("document", {"geodns": 1, "nodes": {odd: NODE}}))


@pytest.mark.parametrize(
    "value", [None, 1, True, [], {}, "", "fr\u0430", "a\u200b", "\u202ea", "a\n", "\x00"]
)
def test_an_id_in_a_body_is_an_id(shared: Any, value: object) -> None:
    assert is_refused(shared.post("nodes", {"id": value, **NODE}))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("odd", NAMES)
def test_a_name_that_is_none_is_refused_everywhere(shared: Any, method: str, odd: str) -> None:
    zone = {"nameservers": ["ns1.example.net"]}
    bodies = {"": zone, "/zonefile": None, "/steers/www": {"pool": "web"}}
    for tail, body in bodies.items():
        octets = json.dumps(body).encode() if method == "PUT" else None
        reply = wire(shared, method, f"/api/v1/zones/{odd}{tail}", octets)
        assert is_refused(reply)
    for path in (f"rrsets/{odd}/A", f"steers/{odd}", f"rrsets/www/{odd}"):
        octets = json.dumps({"values": ["192.0.2.1"]}).encode() if method == "PUT" else None
        assert is_refused(wire(shared, method, f"/api/v1/zones/example.com/{path}", octets))


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_path_beside_all_routes_is_refused(shared: Any, method: str, path: str) -> None:
    assert is_refused(wire(shared, method, path, b"{}" if method == "PUT" else None))


@pytest.mark.parametrize(
    "value", ["%00", "%ff", "%0d%0aSet-Cookie:x", "a" * 20_000, "%F0%9F%92%A9"]
)
@pytest.mark.parametrize("name", ["limit", "plan", "force", "reason", "nothing", "cursor%00"])
def test_odd_parameters_are_refused(shared: Any, name: str, value: str) -> None:
    assert is_refused(wire(shared, "DELETE", f"/api/v1/nodes/none?{name}={value}&force=true"))


@pytest.mark.parametrize("field", ["if-match", "if-none-match", "idempotency-key", "content-type"])
@pytest.mark.parametrize("value", [b"", b"\x01", b"\xff\xfe", b'"' * 4000, b"a" * 4000, b"\x7f"])
def test_odd_header_fields_are_refused(shared: Any, field: str, value: bytes) -> None:
    body = json.dumps({"id": "a", **NODE, "weight": -1}).encode()
    method, path = (
        ("POST", "/api/v1/nodes") if field != "if-none-match" else ("PUT", "/api/v1/nodes/a")
    )
    assert is_refused(wire(shared, method, path, body, (field.encode(), value)))


def wire(
    api: Any,
    method: str,
    path: str,
    body: bytes | None = None,
    *fields: tuple[bytes, bytes],
) -> Any:
    """One request whose path goes out as it is: no client tidies it up."""
    from urllib.parse import unquote

    import httpx

    target, _, query = path.partition("?")
    headers = {b"authorization": f"Bearer {api.token}".encode(), b"host": b"api.test"}
    if body is not None:
        headers |= {b"content-type": b"application/json", b"content-length": b"%d" % len(body)}
    headers |= dict(fields)
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "state": {},
        "path": unquote(target), "raw_path": target.encode(), "query_string": query.encode(),
        "root_path": "", "client": ("198.51.100.7", 4711), "server": ("127.0.0.1", 80),
        "headers": list(headers.items()),
    }  # fmt: skip
    sent: list[Any] = []
    rest = [{"type": "http.request", "body": body or b"", "more_body": False}]

    async def receive() -> Any:
        if not rest:
            await asyncio.Event().wait()
        return rest.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    api._runner.run(api.app(scope, receive, send))
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=content)


def test_odd_octets_of_a_name_have_one_way_in(prod: Any) -> None:
    # `/` within a label: only as its decimal escape (RFC 1035 §5.1), RFC 2317 needs it.
    assert prod.put("zones/2.0.192.in-addr.arpa", {"nameservers": ["ns1.example.net"]}).is_success
    owner = quote("0\\0470", safe="")
    path = f"zones/2.0.192.in-addr.arpa/rrsets/{owner}/NS"
    assert prod.put(path, {"values": ["ns1.example.net."]}).status_code == 201
    assert prod.get(path).json()["id"] == "0\\0470/NS"


@pytest.mark.parametrize("around", ["{}", "a{}b", "*.{}", "{}.{}"])
def test_the_contract_knows_the_names_that_are_read(shared: Any, around: str) -> None:
    contract = shared.get("/openapi.json").json()["paths"]["/api/v1/zones/{zone}"]["get"]
    pattern = next(
        each["schema"]["pattern"] for each in contract["parameters"] if each["name"] == "zone"
    )
    for text in [*map(chr, range(0x21, 0x7F)), *(f"\\{number:03}" for number in range(1000))]:
        name = around.replace("{}", text)
        read = wire(shared, "GET", f"/api/v1/zones/{quote(name, safe='')}")
        is_read = read.json()["detail"].startswith("There is no zone")
        assert is_read is bool(re.match(pattern, name)), name
