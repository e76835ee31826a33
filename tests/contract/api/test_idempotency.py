"""The same POST under the same key is done once and answered alike, across a restart, too."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from geodns.store.replies import KEEP_S, OWNER_MAX, Kept, Replies

NODE = {"id": "a", "addresses": ["198.51.100.9"], "location": {"lat": 1.0, "lon": 2.0}}
KEY = {"Idempotency-Key": '"5d0e4c3a-9b1f"'}


def codes(reply: httpx.Response) -> list[str]:
    return [reason["code"] for reason in reply.json()["reasons"]]


def test_the_same_request_is_done_once_and_answered_alike(prod: Any) -> None:
    first = prod.post("nodes", NODE, headers=KEY)
    again = prod.post("nodes", NODE, headers={"Idempotency-Key": "5d0e4c3a-9b1f"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    for name in ("ETag", "Location", "Content-Type"):
        assert again.headers.get(name) == first.headers.get(name)
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (
        False,
        "true",
    )
    assert prod.service.revision == 2


def test_without_a_key_it_is_asked_anew(prod: Any) -> None:
    assert prod.post("nodes", NODE).status_code == 201
    assert prod.post("nodes", NODE).status_code == 409


@pytest.mark.parametrize(
    ("path", "change"), [("nodes", {"weight": 1}), ("nodes?wait=true", {}), ("pools", {})]
)
def test_a_key_used_for_another_request_is_refused(prod: Any, path: str, change: Any) -> None:
    prod.post("nodes", NODE, headers=KEY)
    other = prod.post(path, NODE | change, headers=KEY)
    assert (other.status_code, codes(other)) == (422, ["key_reused"])
    assert prod.service.revision == 2


def test_a_refusal_is_repeated_too(prod: Any) -> None:
    first = prod.post("nodes", NODE | {"weight": -1}, headers=KEY)
    again = prod.post("nodes", NODE | {"weight": -1}, headers=KEY)
    assert first.status_code == again.status_code == 422
    assert first.json()["request_id"] == again.json()["request_id"]


@pytest.mark.parametrize(
    "key", ["", " ", '"', '"a', "a b", "ü".encode().decode("latin-1"), "x" * 256]
)
def test_a_key_that_is_none_is_refused(prod: Any, key: str) -> None:
    reply = prod.post("nodes", NODE, headers={"Idempotency-Key": key.encode("latin-1")})
    assert (reply.status_code, codes(reply)) == (422, ["bad_header"])
    assert "a" not in prod.service.config.nodes


def test_a_request_that_still_runs_is_not_begun_twice(prod: Any) -> None:
    async def both() -> list[httpx.Response]:
        post = prod._client.post
        asked = [post("/api/v1/nodes", json=NODE, headers=KEY) for _ in range(5)]
        return list(await asyncio.gather(*asked))

    replies = prod._runner.run(both())
    statuses = sorted(reply.status_code for reply in replies)
    assert statuses[0] == 201
    assert set(statuses) <= {201, 409}
    for reply in replies:
        if reply.status_code == 409:
            assert (codes(reply), reply.headers["Retry-After"]) == (["in_progress"], "1")
    assert prod.service.revision == 2


def test_keys_are_each_tokens_own(prod: Any) -> None:
    made = prod.post("tokens", {"id": "ops", "role": "operator"}).json()
    other = {"Authorization": f"Bearer {made['secret']}"}
    prod.post("nodes", NODE, headers=KEY)
    mine = prod.post("pools", {"id": "p", "nodes": ["fra1"]}, headers={**KEY, **other})
    assert mine.status_code == 201


def test_a_tokens_secret_is_repeated_but_never_kept_on_disk(prod: Any, tmp_path: Path) -> None:
    wanted = {"id": "ops", "role": "operator"}
    file = tmp_path / "replies.db"
    app = prod.new_app(replies=Replies(file))
    first, again = (prod.ask(app, "POST", "tokens", json=wanted, headers=KEY) for _ in "ab")
    assert first.json()["secret"] == again.json()["secret"]
    for each in tmp_path.glob("replies.db*"):
        assert first.json()["secret"].encode() not in each.read_bytes()
    restarted = prod.new_app(replies=Replies(file))
    gone = prod.ask(restarted, "POST", "tokens", json=wanted, headers=KEY)
    assert (gone.status_code, codes(gone)) == (409, ["secret_not_kept"])


def test_a_reply_survives_a_restart(prod: Any, tmp_path: Path) -> None:
    file = tmp_path / "replies.db"
    first = prod.ask(prod.new_app(replies=Replies(file)), "POST", "nodes", json=NODE, headers=KEY)
    again = prod.ask(prod.new_app(replies=Replies(file)), "POST", "nodes", json=NODE, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_looked_up_is_not_done(prod: Any, tmp_path: Path) -> None:
    app = prod.new_app(replies=Replies(tmp_path / "nowhere" / "replies.db"))
    reply = prod.ask(app, "POST", "nodes", json=NODE, headers=KEY)
    assert reply.status_code == 503
    assert "a" not in prod.service.config.nodes


# --- The file ---


def kept(text: str) -> Kept:
    return Kept(b"digest", 201, {"etag": '"1"'}, text.encode())


def test_a_reply_is_kept_for_a_day(tmp_path: Path) -> None:
    now = [1000.0]
    replies = Replies(tmp_path / "r.db", clock=lambda: now[0])
    replies.keep("me", "k", kept("x"))
    now[0] += KEEP_S - 1
    assert replies.find("me", "k") == kept("x")
    now[0] += 1
    assert replies.find("me", "k") is None


def test_replies_are_bounded_and_the_oldest_go_first() -> None:
    now = [0.0]
    replies = Replies(clock=lambda: now[0])
    for number in range(OWNER_MAX + 5):
        now[0] += 1
        replies.keep("me", str(number), kept("x"))
    replies.keep("you", "k", kept("x"))
    assert [replies.find("me", str(number)) is None for number in (0, 4, 5)] == [True, True, False]
    assert replies.find("you", "k")


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "r.db"
    file.write_bytes(b"no database at all" * 100)
    replies = Replies(file)
    assert replies.find("me", "k") is None
    replies.keep("me", "k", kept("x"))
    replies.close()
    assert Replies(file).find("me", "k") == kept("x")
