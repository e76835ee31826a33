"""A zone file of a million lines: refused in words while everything else goes on."""

from __future__ import annotations

import threading
import time

import httpx
from support.server import Server

from .conftest import USER

LINES = 1_000_000
HEAD = "$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns.elsewhere.test.\n"


def test_a_zone_file_of_a_million_lines_is_refused_and_keeps_nobody_waiting(
    server: Server,
) -> None:
    text = HEAD + "".join(f"{number:x} A 1.1.1.1\n" for number in range(LINES))
    replies: list[httpx.Response] = []

    def put() -> None:
        headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "text/dns"}
        url = f"http://127.0.0.1:{server.api_port}/api/v1/zones/long.test/zonefile"
        replies.append(httpx.put(url, content=text, headers=headers, timeout=120))

    thread = threading.Thread(target=put)
    thread.start()
    waits_s = []
    while thread.is_alive():
        started_s = time.monotonic()
        server.api("PUT", "zones/example.test/rrsets/other/TXT", {"values": ["x"]})
        waits_s.append(time.monotonic() - started_s)
        assert server.addresses("www.example.test", USER)
    (refused,) = replies
    assert refused.status_code in (413, 422), refused.text
    assert "300,000 records" in refused.text or "larger than" in refused.text
    assert max(waits_s) < 5, "other writers waited for it"
    assert server.request("GET", "zones/long.test").status_code == 404, "nothing half-applied"
