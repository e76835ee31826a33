"""Bodies from strangers: refused in words, never with a 5xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from geodns.api.bodies import BODY_MAX_BYTES, DEPTH_MAX, DOCUMENT_MAX_BYTES

GOOD = {"addresses": ["198.51.100.1"], "location": {"lat": 1.0, "lon": 2.0}}


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not_json"),
    "a word": (b"hello", "not_json"),
    "cut off": (b'{"addresses": ["198.5', "not_json"),
    "two values": (b"{} {}", "not_json"),
    "trailing comma": (b'{"weight": 1,}', "not_json"),
    "single quotes": (b"{'weight': 1}", "not_json"),
    "NaN": (b'{"weight": NaN}', "not_json"),
    "Infinity": (b'{"weight": -Infinity}', "not_json"),
    "endless number": (b'{"weight": 1e999}', "out_of_range"),
    "5,000 digits": (b'{"weight": ' + b"9" * 5000 + b"}", "out_of_range"),
    "a name twice": (b'{"weight": 1, "weight": 2}', "duplicate_name"),
    "a name twice, escaped": (b'{"weight": 1, "w\\u0065ight": 2}', "duplicate_name"),
    "Latin-1": ('{"labels": {"a": "é"}}'.encode("latin-1"), "not_utf8"),
    "UTF-16": ('{"weight": 1}'.encode("utf-16"), "not_utf8"),
    "half a surrogate": (b'{"labels": {"a": "\\ud800"}}', "not_utf8"),
    "too deep": (nested(DEPTH_MAX + 1), "too_deep"),
    "far too deep": (nested(100_000), "too_deep"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "not_json"),
    "null": (b"null", "wrong_type"),
    "a list": (b"[]", "wrong_type"),
    "a number": (b"7", "wrong_type"),
    "deep but not too deep": (nested(DEPTH_MAX), "wrong_type"),
    "nothing required": (b"{}", "required"),
    "a number as text": (b'{"addresses": ["192.0.2.1"], "weight": "5"}', "wrong_type"),
    "true as a number": (b'{"addresses": ["192.0.2.1"], "weight": true}', "wrong_type"),
    "an address that is none": (b'{"addresses": ["192.0.2.256"]}', "bad_value"),
    "a multicast address": (b'{"addresses": ["224.0.0.1"]}', "bad_value"),
    "no addresses": (b'{"addresses": [], "location": {"lat": 0, "lon": 0}}', "required"),
    "an impossible place": (
        b'{"addresses": ["192.0.2.1"], "location": {"lat": 95.2, "lon": 0}}',
        "out_of_range",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_bad_body_is_refused(api: Any, method: str, case: str) -> None:
    body, code = BAD[case]
    path = "nodes/a" if method == "PUT" else "nodes"
    refused = api.raw(method, path, body)
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    if method == "PUT":
        assert code in {each["code"] for each in refused.json()["reasons"]}
    assert api.publisher.published == []


def test_every_fault_of_a_body_is_told_at_once(api: Any) -> None:
    body = {"addresses": ["x"], "location": {"lat": 91, "lon": 181}, "weight": 1001, "nope": 1}
    refused = api.put("nodes/a", body).json()
    assert sorted(each["pointer"] for each in refused["reasons"]) == [
        "/addresses/0", "/location/lat", "/location/lon", "/nope", "/weight",
    ]  # fmt: skip


def test_where_json_breaks_is_told(api: Any) -> None:
    detail = api.raw("PUT", "nodes/a", b'{\n  "weight": }').json()["detail"]
    assert "line 2, column 13" in detail


def test_a_large_body_is_refused_before_it_is_read(api: Any) -> None:
    assert api.raw("PUT", "nodes/a", b" " * (BODY_MAX_BYTES + 1)).status_code == 413
    refused = api.raw("PUT", "nodes/a", b"{}", content_length=str(DOCUMENT_MAX_BYTES))
    assert refused.status_code == 413
    assert refused.json()["type"] == "/problems/too_large"


def test_a_body_whose_length_is_not_told_is_still_bounded(api: Any) -> None:
    async def endless() -> Any:
        while True:
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    refused = api.request("PUT", "document", content=endless(), headers=headers)
    assert refused.status_code == 413


def test_a_document_may_be_larger_than_a_resource(prod: Any, document: Any) -> None:
    body = json.dumps(document).encode() + b" " * BODY_MAX_BYTES
    assert prod.raw("PUT", "document", body).status_code == 200


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/yaml"]
)
def test_another_media_type_is_refused(api: Any, media_type: str) -> None:
    refused = api.raw("PUT", "nodes/a", json.dumps(GOOD).encode(), content_type=media_type)
    assert refused.status_code == 415
    assert api.raw("PUT", "document", b"{}", content_type=media_type).status_code == 415


def test_a_media_type_may_have_parameters(api: Any) -> None:
    body = json.dumps(GOOD).encode()
    options = {"content_type": "Application/JSON; charset=utf-8"}
    assert api.raw("PUT", "nodes/a", body, **options).status_code == 201


def test_a_compressed_body_is_refused(api: Any) -> None:
    assert api.raw("PUT", "nodes/a", b"{}", content_encoding="gzip").status_code == 415


def test_a_slow_body_is_given_up(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodns.api.requests.BODY_TIMEOUT_S", 0.01)

    async def slow() -> Any:
        import asyncio

        yield b"{"
        await asyncio.sleep(60)

    headers = {"Content-Type": "application/json"}
    assert api.request("PUT", "nodes/a", content=slow(), headers=headers).status_code == 408


def test_a_long_value_is_not_sent_back_whole(api: Any) -> None:
    refused = api.put("nodes/a", {"addresses": ["x" * 100_000]})
    assert refused.status_code == 422
    assert len(refused.content) < 2000


# --- Fuzz ---

NAMES = st.sampled_from(
    ["addresses", "location", "lat", "lon", "weight", "labels", "nodes", "select", "pool", "type",
     "values", "ttl", "nameservers", "contact", "expect", "status", "headers", "id", "revision",
     "geodns", "name", "zones", "pools", "monitors", "steers", "rrsets", "@", "www", "A", "MX"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["192.0.2.1", "2001:db8::1", "fra1", "web", "http", "tcp", "10 mail", "example.com.", "@",
     "\\000", "\\", '"', "", "1" * 300, "\x00", "é", "-"]
)  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS | st.text(max_size=20)
)  # fmt: skip
BODIES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=15,
)

GOOD_BODIES: dict[str, dict[str, Any]] = {
    "nodes/a": GOOD,
    "pools/a": {"nodes": ["fra1"], "weights": {"fra1": 3}, "fallback": "web"},
    "monitors/a": {"type": "https", "host": "example.com", "expect": {"status": ["200"]}},
    "zones/a": {"nameservers": ["ns.example.net"], "contact": "me@example.net"},
    "zones/example.com/steers/a": {"pool": "web", "ttl": 9},
    "zones/example.com/rrsets/a/A": {"values": ["192.0.2.1"]},
    "zones/example.com/rrsets/a/TXT": {"values": ['"a"'], "ttl": 9},
    "document": {"geodns": 1, "zones": {}, "nodes": {"b": GOOD}},
}
PATHS = sorted(GOOD_BODIES)


@st.composite
def near_misses(draw: st.DrawFn) -> tuple[str, Any]:
    """A good body with something else in one or two of its fields."""
    path = draw(st.sampled_from(PATHS))
    changed = {**GOOD_BODIES[path]}
    for _ in range(draw(st.integers(0, 2))):
        changed[draw(st.sampled_from(sorted(changed)) | NAMES)] = draw(BODIES)
    return path, changed


fuzz = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


@fuzz
@given(near_misses() | st.tuples(st.sampled_from(PATHS), BODIES), st.booleans())
def test_no_json_makes_a_server_error(shared: Any, case: tuple[str, Any], merge: bool) -> None:
    path, body = case
    method = "PATCH" if merge and path != "document" else "PUT"
    answer = shared.raw(method, path + "?force=true&reason=fuzz", json.dumps(body).encode())
    assert answer.status_code in {200, 201, 404, 409, 422}
    answer.json()


@fuzz
@given(st.sampled_from(PATHS), st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@example("nodes/a", b"[" * 60)
def test_no_octets_make_a_server_error(shared: Any, path: str, body: bytes) -> None:
    assert shared.raw("PUT", path, body).status_code in {200, 201, 409, 422}


@fuzz
@given(st.text(max_size=40), st.sampled_from(["GET", "PUT", "DELETE", "PATCH"]))
@example("zones/\\000", "PUT")
@example("nodes/\ud7ff", "GET")
def test_no_path_makes_a_server_error(shared: Any, text: str, method: str) -> None:
    from urllib.parse import quote

    for path in (f"zones/{quote(text)}", f"zones/example.com/rrsets/{quote(text)}/A"):
        answer = shared.request(method, path, json={"values": ["192.0.2.1"], "ttl": 1})
        assert answer.status_code < 500


@fuzz
@given(st.dictionaries(st.sampled_from(["limit", "cursor", "wait", "force", "reason", "x"]),
                       st.text(max_size=12), max_size=4))  # fmt: skip
def test_no_query_makes_a_server_error(shared: Any, params: dict[str, str]) -> None:
    assert shared.get("nodes", params=params).status_code in {200, 422}
    assert shared.delete("nodes/none", params=params).status_code in {404, 422}
