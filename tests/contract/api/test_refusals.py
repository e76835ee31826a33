"""Every way of being refused has one shape, and gives nothing away."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from geodns.api.auth import FREE_FAILURES, SOURCES_MAX, WAIT_MAX_S, Gate
from geodns.api.problems import HttpError
from geodns.store.base import Token

from .conftest import NOW

ADMIN = Token("admin", "admin", b"", NOW)

JSON = {"Content-Type": "application/json"}
STATUSES: list[tuple[int, str, str, dict[str, Any]]] = [
    (401, "GET", "nodes", {"headers": {"Authorization": "Bearer wrong"}}),
    (404, "GET", "nodes/none", {}),
    (404, "GET", "nowhere", {}),
    (404, "GET", "/nowhere", {}),
    (404, "GET", "nodes/", {}),
    (404, "DELETE", "zones/example.com/steers/none", {}),
    (405, "DELETE", "nodes", {}),
    (405, "POST", "/livez", {}),
    (409, "DELETE", "nodes/fra1", {}),
    (412, "DELETE", "monitors/web", {"headers": {"If-Match": '"0"'}}),
    (413, "PUT", "nodes/a", {"content": b" " * 2_200_000, "headers": JSON}),
    (415, "PUT", "nodes/a", {"content": b"{}"}),
    (422, "PUT", "nodes/a", {"json": {}}),
    (422, "GET", "nodes?limit=0", {}),
    (422, "GET", "nodes?limit=x", {}),
    (422, "GET", "nodes?limit=٣", {}),
    (422, "GET", "nodes?limt=3", {}),
    (422, "GET", "nodes?limit=1&limit=2", {}),
    (422, "PUT", "nodes/a?wait=maybe", {"json": {}}),
    (422, "DELETE", "nodes/fra1", {"headers": {"If-Match": "unquoted"}}),
    (422, "DELETE", "nodes/fra1", {"headers": {"If-None-Match": "1"}}),
    (500, "GET", "status", {}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "method", "path", "options"), STATUSES)
def test_every_refusal_has_one_shape(
    prod: Any, status: int, method: str, path: str, options: dict[str, Any]
) -> None:
    prod.observer.crash = status == 500
    answer = prod.request(method, path, **options)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail", "request_id", "reasons"}
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert problem["reasons"]
    assert all({"pointer", "code", "detail"} <= each.keys() for each in problem["reasons"])
    assert all(each["detail"] for each in problem["reasons"])


def test_an_unknown_method_names_the_known_ones(api: Any) -> None:
    assert api.delete("nodes").headers["Allow"] == "GET, HEAD, POST"
    assert api.post("nodes/fra1", {}).headers["Allow"] == "GET, HEAD, PUT, PATCH, DELETE"
    assert api.request("TRACE", "/livez").headers["Allow"] == "GET, HEAD"


def test_an_unexpected_error_is_logged_and_not_shown(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    api.observer.crash = True
    answer = api.get("status")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.json()["detail"]
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert answer.headers["X-Request-Id"] in record.getMessage()
    assert record.exc_info


def test_request_ids_differ_and_sort_by_time(api: Any) -> None:
    ids = [api.get("/livez").headers["X-Request-Id"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(len(each) == 26 for each in ids)
    assert [each[:8] for each in ids] == sorted(each[:8] for each in ids)


@pytest.mark.parametrize("path", ["/livez", "nodes", "nowhere", "/docs", "/metrics", "document"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_every_reply_wears_strict_headers(api: Any, path: str, method: str) -> None:
    origin = {"Origin": "https://evil.test", "Access-Control-Request-Method": "PUT"}
    headers = api.request(method, path, headers=origin).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert not any(name.lower().startswith("access-control") for name in headers)


# --- Who asks ---


@pytest.mark.parametrize(
    "field",
    ["", "Bearer", "Bearer ", "Basic YWRtaW46", "Bearer a b", "Bearer é".encode("latin-1"),
     "Bearer " + "a" * 100_000],
)  # fmt: skip
@pytest.mark.parametrize("path", ["nodes", "nowhere", "/api", "/apix", "/api/v2/x"])
def test_nothing_under_api_answers_without_a_good_token(
    api: Any, path: str, field: str | bytes
) -> None:
    refused = api.get(path, headers={"Authorization": field})
    assert refused.status_code in (401, 429)
    assert refused.headers.get("WWW-Authenticate", "Bearer").startswith("Bearer")


def test_two_tokens_are_none(api: Any) -> None:
    good = ("Authorization", f"Bearer {api.token}")
    assert api.get("nodes", headers=[good, good]).status_code == 401


def test_the_scheme_is_case_insensitive(api: Any) -> None:
    headers = {"Authorization": f"bearer {api.token}"}
    assert api.get("nodes", headers=headers).status_code == 200


def test_a_body_is_not_read_for_a_stranger(api: Any) -> None:
    async def body() -> Any:
        raise AssertionError("read")
        yield b""

    refused = api.request("PUT", "nodes/a", content=body(), headers={"Authorization": ""})
    assert refused.status_code == 401


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s


def _gate(clock: Clock) -> Gate:
    return Gate(lambda token: ADMIN if token == "good" else None, clock, clock.sleep)


def _try(api: Any, gate: Gate, token: str, address: str = "192.0.2.1") -> int:
    try:
        api._runner.run(gate.actor([b"Bearer " + token.encode()], address))
    except HttpError as error:
        return error.status
    return 200


def test_failures_are_slowed_for_their_source_only(api: Any) -> None:
    clock = Clock()
    gate = _gate(clock)
    for _ in range(FREE_FAILURES):
        assert _try(api, gate, "bad") == 401
    assert clock.now_s == 1000.0
    for _ in range(20):
        assert _try(api, gate, "bad") == 401
    assert clock.now_s == 1010.0
    assert _try(api, gate, "bad", "192.0.2.2") == 401
    assert _try(api, gate, "good") == 200
    assert clock.now_s == 1010.0


def test_those_who_do_not_wait_are_turned_away(api: Any) -> None:
    clock = Clock()
    waits: list[float] = []

    async def impatient(duration_s: float) -> None:
        waits.append(duration_s)

    gate = Gate(lambda token: None, clock, impatient)
    statuses = [_try(api, gate, "bad") for _ in range(20)]
    assert statuses.count(429) == 20 - FREE_FAILURES - len(waits)
    assert max(waits) == WAIT_MAX_S


def test_an_ipv6_network_is_one_source(api: Any) -> None:
    clock = Clock()
    gate = _gate(clock)
    for number in range(FREE_FAILURES + 2):
        _try(api, gate, "bad", f"2001:db8::{number:x}")
    assert clock.now_s > 1000.0


def test_memory_for_sources_is_bounded(api: Any) -> None:
    gate = _gate(Clock())

    async def flood() -> None:
        for number in range(SOURCES_MAX + 50):
            await gate._slow_down(f"198.51.{number >> 8}.{number & 255}")

    api._runner.run(flood())
    assert len(gate._next_failure_s) == SOURCES_MAX


# --- What is logged ---


def test_a_write_leaves_one_line_without_secrets(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "geodns")
    body = {"type": "http", "headers": {"X-Key": "hush-hush"}}
    answer = api.put("monitors/m", body, params={"wait": "true"})
    api.get("monitors/m")
    (line,) = [each.getMessage() for each in caplog.records if each.name == "geodns.api.access"]
    for part in ("PUT /api/v1/monitors/m 201", "admin", "198.51.100.7"):
        assert part in line
    assert answer.headers["X-Request-Id"] in line
    assert api.token not in caplog.text
    assert "hush-hush" not in caplog.text


def test_a_path_cannot_forge_a_line(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "geodns")
    api.delete("nodes/a%0A%1B[31mforged")
    (line,) = [each.getMessage() for each in caplog.records if each.name == "geodns.api.access"]
    assert line.isprintable()
