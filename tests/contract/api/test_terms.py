"""Wait, plan, force; and what reaches the publisher."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from geodns.api.kinds import NODE as NODE_KIND
from geodns.api.preconditions import Terms
from geodns.errors import ConfigError
from geodns.store.base import Token, Write

NODE = {"addresses": ["198.51.100.1"], "location": {"lat": 1.0, "lon": 2.0}}


def test_a_write_reaches_the_publisher_whole(prod: Any) -> None:
    prod.put("nodes/new", NODE)
    config, forced = prod.publisher.published[-1]
    assert {"new", "fra1"} <= config.nodes.keys()
    assert forced is None


def test_writes_reach_the_publisher_in_the_order_of_their_commits(api: Any) -> None:
    async def burst() -> None:
        terms = Terms("test")
        await asyncio.gather(*(api.service.put(NODE_KIND, (f"n{i}",), _node(i), terms)
                               for i in range(20)))  # fmt: skip

    api._runner.run(burst())
    sizes = [len(config.nodes) for config, _ in api.publisher.published]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 20


def _node(number: int) -> dict[str, Any]:
    return {**NODE, "addresses": [f"198.51.100.{number}"]}


def test_wait_answers_when_it_is_served(api: Any) -> None:
    assert api.put("nodes/a", NODE, params={"wait": "true"}).status_code == 201
    assert api.put("nodes/a", NODE, params={"wait": "1"}).status_code == 200


def test_wait_says_when_workers_are_late_and_the_change_is_saved(api: Any) -> None:
    api.publisher.serves = False
    late = api.put("nodes/a", NODE, params={"wait": "true"})
    assert late.status_code == 504
    assert late.json()["type"] == "/problems/not_served"
    assert "saved" in late.json()["detail"]
    assert api.get("nodes/a").status_code == 200


def test_wait_ends_although_the_publisher_does_not(api: Any) -> None:
    async def never(config: object, *, forced: str | None) -> int:
        await asyncio.sleep(3600)
        return 0

    api.publisher.publish = never
    api.service.publishing._publish_max_s = api.service.publishing._wait_max_s = 0.01
    assert api.put("nodes/a", NODE, params={"wait": "true"}).status_code == 504


def test_wait_says_when_publishing_was_refused(api: Any) -> None:
    api.publisher.refusal = ConfigError("no room for the snapshot")
    refused = api.put("nodes/a", NODE, params={"wait": "true"})
    assert refused.status_code == 503
    details = [each["detail"] for each in refused.json()["reasons"]]
    assert details == [
        "The change is saved, but was not published.",
        "no room for the snapshot",
    ]
    again = api.put("nodes/a", NODE, params={"wait": "true"})
    assert again.status_code == 503


def test_a_refusal_in_the_background_is_logged(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    api.publisher.refusal = ConfigError("no room for the snapshot")
    assert api.put("nodes/a", NODE).status_code == 201
    assert "no room for the snapshot" in caplog.text


def test_a_publisher_that_breaks_does_not_break_the_api(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    api.publisher.refusal = RuntimeError("a bug")
    assert api.put("nodes/a", NODE).status_code == 201
    assert "publishing failed unexpectedly" in caplog.text
    api.publisher.refusal = None
    assert api.put("nodes/a", {**NODE, "weight": 1}, params={"wait": "1"}).status_code == 200


def test_every_write_is_answered_as_it_was_done_whatever_comes_after(api: Any) -> None:
    async def crowd() -> list[int]:
        client, url = api._client, "/api/v1/nodes/a"
        work = [client.put(url, json={**NODE, "weight": i}) if i % 2 else client.delete(url)
                for i in range(40)]  # fmt: skip
        return [answer.status_code for answer in await asyncio.gather(*work)]

    statuses = api._runner.run(crowd())
    assert set(statuses[1::2]) <= {200, 201}
    assert set(statuses[::2]) <= {204, 404}


SMALL = {"nodes": ["fra1", "mil1"], "monitor": "web"}


def test_a_brake_holds_and_tells_how_to_override_it(prod: Any) -> None:
    held = prod.put("pools/web", SMALL)
    assert held.status_code == 409
    assert held.json()["type"] == "/problems/brake"
    (reason,) = held.json()["reasons"]
    assert (reason["pointer"], reason["code"]) == ("", "brake")
    assert "force" in reason["hint"]
    assert prod.get("pools/web").json()["nodes"] == ["fra1", "mil1", "nyc1", "sin1"]


def test_force_needs_a_reason_and_hands_it_on(prod: Any) -> None:
    for params in ({"force": "true"}, {"force": "true", "reason": " "},
                   {"force": "true", "reason": "a\nb"}):  # fmt: skip
        assert prod.put("pools/web", SMALL, params=params).status_code == 422
    forced = prod.put("pools/web", SMALL, params={"force": "true", "reason": "site closed"})
    assert forced.status_code == 200
    assert prod.publisher.published[-1][1] == "site closed"
    assert "site closed" in prod.store.audit(before=None, limit=1)[0].reason


def test_history_names_the_actor(prod: Any) -> None:
    assert {entry.actor for entry in prod.store.audit(before=None, limit=10, revisions=True)} == {
        "admin"
    }


def test_another_writer_of_the_store_is_noticed_and_not_overwritten(prod: Any) -> None:
    body = {"addresses": ["198.51.100.2"], "location": {"lat": 1.0, "lon": 1.0}}
    prod.store.commit([Write("node", ("theirs",), body)], base=prod.service.revision, actor="x")
    assert prod.put("nodes/ours", NODE).status_code == 409
    assert prod.put("nodes/ours", NODE).status_code == 201
    assert prod.get("nodes/theirs").status_code == 200


def test_a_broken_store_is_unavailable_and_nothing_changes(prod: Any) -> None:
    prod.store.close()
    published = len(prod.publisher.published)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geodns.api.auth.Gate.actor", _anyone)
        assert prod.put("nodes/x", NODE).status_code == 503
        assert prod.get("nodes/x").status_code == 404
    assert len(prod.publisher.published) == published


async def _anyone(gate: object, fields: object, address: str) -> Token:
    return Token("admin", "admin", b"", datetime.now(UTC))
