"""The lean path and the general one see the same in every reply."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from geodns.health.observation import Observation
from geodns.health.probes.general import GeneralHttpProbe
from geodns.health.probes.lean import LeanHttpProbe
from geodns.health.probes.local import Local
from geodns.model.monitor import Monitor

HEADS = (
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 200\r\n",
    b"HTTP/1.1 200 \r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 304 Not Modified\r\n",
    b"HTTP/1.1 503 Away\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n",
    b"HTTP/2.0 200 OK\r\n",
    b"HTTP/1.1 999 Odd\r\n",
    b"HTTP/1.1 20 OK\r\n",
    b"HTTP/1.1 2000 OK\r\n",
    b"http/1.1 200 OK\r\n",
    b"HTTP/1.1  200 OK\r\n",
    b"HTTP/1.1 200 O\x00K\r\n",
    b"HTTP/1.1 200 \xc3\xa4\r\n",
    b"\r\nHTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\n",
    b"ICY 200 OK\r\n",
    b"",
)
FIELDS = (
    b"",
    b"Content-Length: 2\r\n",
    b"content-length:2\r\n",
    b"Content-Length: 2\r\nContent-Length: 2\r\n",
    b"Content-Length: 2\r\nContent-Length: 3\r\n",
    b"Content-Length: 2, 2\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 9\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: +2\r\n",
    b"Content-Length: 1e1\r\n",
    b"Content-Length: 99999999999999999999999\r\n",
    b"Content-Length:\r\n",
    b"Content-Length : 2\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
    b"X-Content-Length: 7\r\nContent-Length: 2\r\n",
    b"Folded: a\r\n b\r\nContent-Length: 2\r\n",
    b"Odd: \xff\xfe\r\nContent-Length: 2\r\n",
    b"Nul: a\x00b\r\nContent-Length: 2\r\n",
    b"No colon\r\n",
    b": empty\r\n",
    b"Sp ace: x\r\n",
    b"Content-Length: 2\nA: b\r\n",
    b"Server: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n",
    b"Content-Encoding: gzip\r\nContent-Length: 2\r\n",
)
BODIES = (
    b"\r\n",
    b"\r\nok",
    b"\r\nno",
    b"\r\nokay, longer than said",
    b"\r\n2\r\nok\r\n0\r\n\r\n",
    b"\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nTrailer: x\r\n\r\n",
    b"\r\nzz\r\nok\r\n",
    b"\r\n-2\r\nok\r\n0\r\n\r\n",
    b"\r\nffffffffffffffffff\r\nok",
    b"",
)
EXPECTATIONS: tuple[dict[str, Any], ...] = (
    {},
    {"expect": {"body": "ok"}},
    {"expect": {"regex": "^o.$"}},
    {"expect": {"status": ["100-599"], "body": "ok"}},
    {"method": "HEAD"},
)


def battery() -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Every head, every list of fields and every body, each beside common and random others."""
    draw = random.Random(1)
    common = (HEADS[0], FIELDS[1], BODIES[1])
    parts = [(head, *common[1:]) for head in HEADS]
    parts += [(HEADS[0], fields, body) for fields in FIELDS for body in BODIES]
    parts += [(HEADS[0], FIELDS[14], body) for body in BODIES]
    parts += [tuple(map(draw.choice, (HEADS, FIELDS, BODIES))) for _ in range(300)]  # type: ignore[misc]
    for number, (head, fields, body) in enumerate(parts):
        yield head + fields + body, EXPECTATIONS[number % len(EXPECTATIONS)]
        yield head + fields + body, EXPECTATIONS[1]


@pytest.mark.parametrize("split", [False, True], ids=["whole", "in pieces"])
def test_both_paths_see_the_same_in_every_reply(serve: Callable[..., Any], split: bool) -> None:
    replies = list(battery())[:: 3 if split else 1]
    current = b""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        half = len(current) // 2 if split else 0
        if half:
            writer.write(current[:half])
            await asyncio.sleep(0.002)
        writer.write(current[half:])

    async def scene() -> list[tuple[bytes, dict[str, Any], Observation, Observation]]:
        nonlocal current
        found = []
        async with serve(reply) as port:
            for octets, fields in replies:
                current = octets
                rules = Monitor.model_validate_json(
                    json.dumps({"type": "http", "port": port, "timeout_s": 5} | fields)
                )
                lean, general = [
                    await kind("127.0.0.1", rules, Local()).observe()
                    for kind in (LeanHttpProbe, GeneralHttpProbe)
                ]
                found.append((octets, fields, lean, general))
        return found

    seen = asyncio.run(scene())
    differing = [item for item in seen if _said(item[2]) != _said(item[3])]
    assert differing == []
    assert {lean.passed for _, _, lean, _ in seen} == {True, False}


def _said(seen: Observation) -> tuple[Any, ...]:
    return seen.passed, seen.reason, seen.elapsed_ms is None, seen.warning, seen.unable
