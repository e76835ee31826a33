"""Servers that behave as badly as they can, one for each kind, in a process of their own.

``python -m support.hostile`` prints a JSON object of ports by kind and serves until its standard
input ends. With ``--tls CERTIFICATE`` all of them speak TLS.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import os
import ssl
import sys
from collections.abc import Awaitable, Callable

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(20 * 2**20))
OK = HEAD + b"Content-Length: 3\r\nConnection: close\r\n\r\nok!"


def replying(*pieces: bytes, pause_s: float = 0.0) -> Behaviour:
    """A server that reads the request, then sends the pieces."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return behave


def endless(head: bytes, piece: bytes, pause_s: float = 0.0) -> Behaviour:
    """A server that sends ``piece`` for ever."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        for _ in itertools.count():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return behave


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


KINDS: dict[str, Behaviour] = {
    "silent": silent,
    "drips": endless(b"HTTP/1.1 200 O", b"K", 0.05),
    "drips fields": endless(HEAD, b"x: y\r\n", 0.05),
    "drips chunks": endless(CHUNKED, b"1\r\nx\r\n", 0.05),
    "never ends": endless(HEAD + b"\r\n", b"x" * 8192),
    "huge": endless(HEAD + b"Content-Length: 10737418240\r\n\r\n", b"x" * 8192),
    "bomb": replying(
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB
    ),
    "lies longer": replying(HEAD + b"Content-Length: 99\r\n\r\nx"),
    "lies shorter": replying(HEAD + b"Content-Length: 1\r\n\r\n", b"x" * 100_000),
    "interim flood": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
    "header flood": endless(HEAD, b"x: yyyyyyyyyyyyyyyyyyyy\r\n" * 50),
    "one long header": endless(HEAD + b"x: ", b"y" * 8192),
    "chunk flood": endless(CHUNKED, b"1\r\nx\r\n" * 500),
    "random": replying(os.urandom(100_000)),
    "redirects": replying(
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    ),
    "honest": replying(OK),
}


async def main(tls: ssl.SSLContext | None) -> None:
    def guarded(behaviour: Behaviour) -> Behaviour:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await behaviour(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        return connected

    ports = {}
    for kind, behaviour in KINDS.items():
        server = await asyncio.start_server(
            guarded(behaviour), "127.0.0.1", 0, ssl=tls, backlog=1024
        )
        ports[kind] = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    context = None
    if "--tls" in sys.argv:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[sys.argv.index("--tls") + 1])
    asyncio.run(main(context))
    os._exit(0)
