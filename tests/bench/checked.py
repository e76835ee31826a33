"""A lean web server that is every node at once: ``python checked.py PORT [CERTIFICATE]``.

It listens on all loopback addresses of the port and says 200 to everything; with a certificate
by TLS, each connection with a full handshake. Prints a line once it listens.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

REPLY = (
    b"HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Mon, 23 Nov 2026 00:00:00 GMT\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
)


class Node(asyncio.Protocol):
    """One connection: a request, a reply, the end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, _octets: bytes) -> None:
        self._transport.write(REPLY)  # type: ignore[attr-defined]
        self._transport.close()


async def main(port: str, certificate: str = "") -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.num_tickets = 0
    server = await asyncio.get_running_loop().create_server(
        Node, "0.0.0.0", int(port), ssl=context, backlog=4096
    )
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
