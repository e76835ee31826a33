"""One web server that is an edge node's health page: ``python node.py ADDRESS PORT MODE``.

MODE ``up`` always says 200. MODE ``turns`` says 503 once, after a number of replies that the
address gives, and for every reply prints the status and when it had been sent, in nanoseconds of
the monotonic clock, which is one clock for all processes of a machine.
"""

from __future__ import annotations

import socket
import sys
import time

REPLY = "HTTP/1.1 {} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def main(address: str, port: str, mode: str) -> None:
    with socket.create_server((address, int(port)), backlog=64) as listener:
        replies, ill_at = 0, 3 + int(address.rsplit(".", 1)[1]) * 7 % 18
        while True:
            client, _ = listener.accept()
            with client:
                client.settimeout(1.0)
                try:
                    if not client.recv(4096):
                        continue
                    replies += 1
                    status = 503 if mode == "turns" and replies == ill_at else 200
                    client.sendall(REPLY.format(status).encode())
                except OSError:
                    continue
                sent_ns = time.monotonic_ns()
                if mode == "turns":
                    sys.stdout.write(f"{status} {sent_ns}\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
