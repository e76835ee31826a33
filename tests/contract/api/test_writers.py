"""Many writers at once: nobody's change is lost, nobody sees an error of ours."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

NODE = {"addresses": ["198.51.100.9"], "location": {"lat": 1.0, "lon": 2.0}}
WRITERS = 24
ROUNDS = 8

Write = Callable[[httpx.AsyncClient, random.Random, int], Awaitable[httpx.Response]]


def together(api: Any, write: Write) -> list[httpx.Response]:
    """What all writers were answered, each writing in its own time."""

    async def writer(number: int) -> list[httpx.Response]:
        rng = random.Random(number)
        return [await write(api._client, rng, number) for _ in range(ROUNDS)]

    async def all_writers() -> list[list[httpx.Response]]:
        return list(await asyncio.gather(*map(writer, range(WRITERS))))

    return [reply for replies in api._runner.run(all_writers()) for reply in replies]


def test_no_update_is_lost_by_those_who_say_what_they_read(prod: Any) -> None:
    path = "/api/v1/nodes/fra1"
    prod.patch("nodes/fra1", {"weight": 0})

    async def add_one(client: httpx.AsyncClient, rng: random.Random, _: int) -> httpx.Response:
        while True:
            read = await client.get(path)
            await asyncio.sleep(rng.random() * 0.01)
            patch = {"weight": read.json()["weight"] + 1}
            reply = await client.patch(path, json=patch, headers={"If-Match": read.headers["ETag"]})
            if reply.status_code != 412:
                return reply

    replies = together(prod, add_one)
    assert {reply.status_code for reply in replies} == {200}
    assert prod.get("nodes/fra1").json()["weight"] == WRITERS * ROUNDS
    # Each of them is a revision of its own, in the order in which they were acknowledged.
    weights = {reply.json()["revision"]: reply.json()["weight"] for reply in replies}
    assert [weights[each] for each in sorted(weights)] == list(range(1, WRITERS * ROUNDS + 1))


def test_of_many_who_create_one_thing_one_does(prod: Any) -> None:
    async def create(client: httpx.AsyncClient, rng: random.Random, number: int) -> httpx.Response:
        if number % 2:
            return await client.post("/api/v1/nodes", json={"id": "new", **NODE})
        only_new = {"If-None-Match": "*"}
        return await client.put("/api/v1/nodes/new", json=NODE, headers=only_new)

    statuses = [reply.status_code for reply in together(prod, create)]
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 412}


@pytest.mark.slow
def test_whatever_conflicts_nothing_is_half_applied(prod: Any) -> None:
    """Documents of two kinds that exclude one another, and edits of all that they touch."""
    one = {"pools": {"x": {"nodes": ["x1"]}}, "nodes": {"x1": NODE}}
    two = {"pools": {"x": {"nodes": ["x2"]}}, "nodes": {"x2": NODE}}

    async def write(client: httpx.AsyncClient, rng: random.Random, number: int) -> httpx.Response:
        document = {"geodns": 1, "name": "x", **(one if rng.random() < 0.5 else two)}
        force = {"force": "true", "reason": "test"}
        match rng.randrange(5):
            case 0:
                return await client.put("/api/v1/document?prune=true", json=document, params=force)
            case 1:
                return await client.delete(f"/api/v1/nodes/x{1 + number % 2}", params=force)
            case 2:
                return await client.delete("/api/v1/pools/x", params=force)
            case 3:
                patch = {"nodes": [f"x{1 + rng.randrange(2)}"]}
                return await client.patch("/api/v1/pools/x", json=patch, params=force)
            case _:
                return await client.post("/api/v1/revisions/1/restore", params=force)

    replies = together(prod, write)
    assert {reply.status_code for reply in replies} <= {200, 201, 204, 404, 409, 412, 422}
    assert sum(reply.is_success for reply in replies) > len(replies) // 10
    found = prod.service.config
    if "x" in found.pools:
        (member,) = found.pools["x"].nodes
        assert member in found.nodes
    # What is in memory is what is on disk, and its history is whole.
    assert prod.service.revision == prod.store.read()[0]
    assert prod.get("audit/verify").status_code == 200
    exported = prod.get("document").json()
    assert prod.put("document", {**exported, "name": "x"}).json()["changed"] is False


def test_whatever_goes_wrong_nobody_is_left_waiting(
    prod: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, together: object) -> None:
        raise NameError("a bug of ours")

    monkeypatch.setattr("geodns.api.writing.Writing._perform_all", broken)
    assert prod.put("nodes/a", NODE).status_code == 500
    monkeypatch.undo()
    assert prod.put("nodes/a", NODE).status_code == 201
