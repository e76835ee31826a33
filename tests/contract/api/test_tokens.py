"""Tokens over HTTP: made, shown without secrets, changed, rotated, ended."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from .conftest import NOW

READER = {"id": "grafana", "role": "reader"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the routes take for now, as the fixture's keyring does."""
    monkeypatch.setattr("geodns.api.tokens.utc_now", lambda: NOW)


def status(api: Any, secret: str, path: str = "nodes") -> int:
    found: int = api.get(path, headers={"Authorization": f"Bearer {secret}"}).status_code
    return found


def made(api: Any, **body: Any) -> str:
    reply = api.post("tokens", {**READER, **body})
    assert reply.status_code == 201, reply.text
    secret: str = reply.json()["secret"]
    return secret


def test_a_token_is_shown_without_its_secret(api: Any) -> None:
    secret = made(api, zones=["*.example.com"])
    shown = api.get("tokens/grafana")
    assert shown.json() == {
        **READER,
        "nodes": [],
        "zones": ["*.example.com"],
        "created": "2026-11-23T00:00:00Z",
        "expires_at": None,
        "last_used_at": None,
        "old_secret_until": None,
    }
    assert secret not in api.get("tokens").text + shown.text + api.get("audit").text
    assert api.get("tokens/other").status_code == 404


def test_tokens_are_listed_in_pages(api: Any) -> None:
    for number in range(3):
        made(api, id=f"t{number}")
    first = api.get("tokens?limit=2").json()
    assert [each["id"] for each in first["items"]] == ["admin", "t0"]
    rest = api.get(f"tokens?cursor={first['next']}").json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (["t1", "t2"], None)


def test_only_an_admin_sees_or_makes_tokens(api: Any) -> None:
    for role in ("reader", "operator"):
        secret = made(api, id=role, role=role)
        for path in ("tokens", "tokens/admin", f"tokens/{role}"):
            assert status(api, secret, path) == 403


def test_a_rotated_token_has_a_new_secret_and_the_old_one_ends(api: Any) -> None:
    old = made(api)
    reply = api.post("tokens/grafana/rotate", None)
    entry = api.get("audit?limit=1").json()["items"][0]
    assert (entry["actor"], entry["reason"]) == ("admin", "rotate")
    assert entry["request_id"] == reply.headers["x-request-id"]
    assert (status(api, old), status(api, reply.json()["secret"])) == (401, 200)


def test_the_old_secret_lives_on_for_the_overlap(api: Any) -> None:
    old = made(api)
    rotated = api.post("tokens/grafana/rotate", {"overlap_s": 60}).json()
    assert rotated["old_secret_until"] == "2026-11-23T00:01:00Z"
    secrets = old, rotated["secret"]
    assert [status(api, each) for each in secrets] == [200, 200]
    api.now = NOW + timedelta(seconds=59)
    assert [status(api, each) for each in secrets] == [200, 200]
    api.now = NOW + timedelta(seconds=60)
    assert [status(api, each) for each in secrets] == [401, 200]


def test_rotated_twice_within_the_overlap_only_two_secrets_are_good(api: Any) -> None:
    secrets = [made(api)]
    for _ in range(2):
        reply = api.post("tokens/grafana/rotate", {"overlap_s": 60})
        secrets.append(reply.json()["secret"])
    assert [status(api, each) for each in secrets] == [401, 200, 200]


@pytest.mark.parametrize("overlap_s", [-1, 30 * 86_400 + 1, "1h", None, 1.5])
def test_an_overlap_is_bounded(api: Any, overlap_s: Any) -> None:
    made(api)
    assert api.post("tokens/grafana/rotate", {"overlap_s": overlap_s}).status_code == 422


def test_an_expired_token_is_not_rotated_into_life(api: Any, monkeypatch: Any) -> None:
    made(api, expires_at="2026-11-24T00:00:00Z")
    monkeypatch.setattr("geodns.api.tokens.utc_now", lambda: NOW + timedelta(days=2))
    reply = api.post("tokens/grafana/rotate", None)
    assert (reply.status_code, reply.json()["reasons"][0]["code"]) == (409, "expired")


def test_what_a_token_may_do_can_be_changed_but_not_whose_it_is(api: Any) -> None:
    secret = made(api, role="operator", zones=["example.com"])
    changed = api.patch("tokens/grafana", {"zones": [], "expires_at": "2026-12-01T00:00:00Z"})
    assert (changed.json()["zones"], changed.json()["expires_at"]) == ([], "2026-12-01T00:00:00Z")
    assert status(api, secret) == 200
    assert api.patch("tokens/grafana", {"expires_at": None}).json()["expires_at"] is None
    before = api.get("audit?limit=1").json()["items"][0]["number"]
    assert api.patch("tokens/grafana", {"expires_at": None}).status_code == 200
    assert api.get("audit?limit=1").json()["items"][0]["number"] == before
    for patch in ({"id": "other"}, {"role": "reader"}, {"secret": "x"}, [], {"zones": ["ä"]}):
        assert api.patch("tokens/grafana", patch).status_code == 422, patch


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"role": "agent"}, ["/nodes"]),
        ({"role": "agent", "zones": ["*"]}, ["/nodes", "/zones"]),
        ({"role": "admin"}, ["/role"]),
        ({"expires_at": "2026-11-23T00:00:00Z"}, ["/expires_at"]),
        ({"zones": ["[a]"]}, ["/zones/0"]),
        ({"id": "node:fra1"}, ["/id"]),
    ],
)
def test_every_fault_of_a_new_token_is_told(
    api: Any, body: dict[str, Any], pointers: list[str]
) -> None:
    reply = api.post("tokens", {**READER, **body})
    assert reply.status_code == 422
    assert [reason["pointer"] for reason in reply.json()["reasons"]] == pointers


def test_the_admin_token_is_its_files(api: Any) -> None:
    for reply in (
        api.delete("tokens/admin"),
        api.patch("tokens/admin", {}),
        api.post("tokens/admin/rotate", None),
        api.post("tokens", {**READER, "id": "admin"}),
    ):
        assert reply.status_code == 409


def test_an_ended_or_expired_token_is_nobodys(api: Any) -> None:
    secret = made(api, expires_at="2026-11-24T00:00:00Z")
    assert status(api, secret) == 200
    api.now = NOW + timedelta(days=1)
    assert status(api, secret) == 401
    api.now = NOW
    assert api.delete("tokens/grafana").status_code == 204
    assert status(api, secret) == 401
    assert api.delete("tokens/grafana").status_code == 404


def test_the_last_use_is_told_without_the_audit_hearing_of_it(api: Any) -> None:
    secret = made(api)
    entries = len(api.get("audit").json()["items"])
    status(api, secret)
    deadline_s = time.monotonic() + 10
    while api.get("tokens/grafana").json()["last_used_at"] != "2026-11-23T00:00:00Z":
        assert time.monotonic() < deadline_s
    assert len(api.get("audit").json()["items"]) == entries


def test_writes_of_a_reader_are_kept_in_the_audit_once_a_minute(api: Any) -> None:
    secret = made(api)
    headers = {"Authorization": f"Bearer {secret}"}
    replies = [api.put("nodes/a", {}, headers=headers) for _ in range(3)]
    assert {reply.status_code for reply in replies} == {403}
    assert api.get("nodes", headers={"Authorization": "Bearer none"}).status_code == 401
    found: list[Any] = []
    deadline_s = time.monotonic() + 10  # it is written beside the replies, which do not wait
    while not found and time.monotonic() < deadline_s:
        found = [each for each in api.get("audit").json()["items"] if not each["changes"]]
    assert [(each["actor"], each["reason"]) for each in found] == [
        ("grafana", "forbidden: PUT /api/v1/nodes/a")
    ]
    assert found[0]["request_id"] == replies[0].headers["x-request-id"]
    assert api.get("audit/verify").status_code == 200
