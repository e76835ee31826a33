"""A whole Internet on loopback: a root by NSD, geodns below it, and a child by NSD below that."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.message
import dns.query
from support.server import PATIENCE_S, Server, free_port, running_server, until

from differential.peers import PATH, Peer

ROOT, NS1, NS2, CHILD = "127.53.0.1", "127.53.0.2", "127.53.0.3", "127.53.0.4"
"""Name servers are asked on port 53 and nowhere else, so each has an address of its own."""

TIMERS = "1 7200 900 1209600 300"
ROOT_ZONE = f""". 300 IN SOA a.root. hostmaster.root. {TIMERS}
. 300 IN NS a.root.
a.root. 300 IN A {ROOT}
test. 300 IN NS a.root.
53.127.in-addr.arpa. 300 IN NS ns1.example.test.
53.127.in-addr.arpa. 300 IN NS ns2.example.test.
ns1.example.test. 300 IN A {NS1}
ns2.example.test. 300 IN A {NS2}
"""
TEST_ZONE = f"""test. 300 IN SOA a.root. hostmaster.root. {TIMERS}
test. 300 IN NS a.root.
example.test. 300 IN NS ns1.example.test.
example.test. 300 IN NS ns2.example.test.
other.test. 300 IN NS ns1.example.test.
other.test. 300 IN NS ns2.example.test.
ns1.example.test. 300 IN A {NS1}
ns2.example.test. 300 IN A {NS2}
"""
CHILD_ZONE = f"""child.example.test. 300 IN SOA ns.child.example.test. hostmaster.root. {TIMERS}
child.example.test. 300 IN NS ns.child.example.test.
ns.child.example.test. 300 IN A {CHILD}
www.child.example.test. 300 IN A 192.0.2.80
"""

SERVERS = [
    {"name": "ns1.example.test.", "addresses": [NS1]},
    {"name": "ns2.example.test.", "addresses": [NS2]},
]
DOCUMENT: dict[str, Any] = {
    "zones": {
        "example.test": {
            "nameservers": SERVERS,
            "negative_ttl": 300,
            "steers": {"@": {"pool": "web"}, "www": {"pool": "web"}},
            "rrsets": {
                "@": {"MX": ["10 mail"], "TXT": ['"v=spf1 -all"']},
                "mail": {"A": ["127.53.0.25"]},
                "hostmaster": {"TXT": ["here"]},
                "host": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]},
                "*.wild": {"CNAME": ["host"]},
                "*.steered": {"CNAME": ["www"]},
                "old": {"DNAME": ["new.other.test."]},
                "a.b.ent": {"TXT": ["below"]},
                "alias": {"CNAME": ["www.new.other.test."]},
                "to-child": {"CNAME": ["www.child"]},
                "big": {"TXT": [f'"{number:03}{"x" * 200}"' for number in range(30)]},
                "child": {"NS": ["ns.child"]},
                "ns.child": {"A": [CHILD]},
            },
        },
        "other.test": {
            "nameservers": ["ns1.example.test.", "ns2.example.test."],
            "rrsets": {"www.new": {"A": ["192.0.2.2"]}, "x.y.new": {"TXT": ["deep"]}},
        },
        "53.127.in-addr.arpa": {
            "nameservers": ["ns1.example.test.", "ns2.example.test."],
            "rrsets": {
                "2.0": {"PTR": ["ns1.example.test."]},
                "3.0": {"PTR": ["ns2.example.test."]},
                "25.0": {"PTR": ["mail.example.test."]},
            },
        },
    },
    "pools": {"web": {"nodes": ["rome"]}},
    "nodes": {"rome": {"addresses": ["198.18.0.1"], "location": {"lat": 41.9, "lon": 12.5}}},
}

UNBOUND = """
server:
  directory: "{directory}"
  chroot: ""
  username: ""
  pidfile: ""
  logfile: ""
  use-syslog: no
  interface: 127.0.0.1
  port: {port}
  do-ip6: no
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  module-config: "iterator"
  root-hints: "{hints}"
  local-zone: "test." nodefault
  local-zone: "127.in-addr.arpa." nodefault
  qname-minimisation-strict: yes
  harden-referral-path: yes
  use-caps-for-id: yes
remote-control:
  control-enable: no
"""


@dataclass
class Internet:
    """Shape: ``hints`` names the root's address, as resolvers want it."""

    geodns: Server
    hints: Path
    directory: Path


def obstacle() -> str:
    """What keeps name servers from port 53 of these addresses; empty for nothing."""
    for host in (ROOT, NS1, NS2, CHILD):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(type=kind) as sock:
                try:
                    sock.bind((host, 53))
                except OSError as error:
                    return f"port 53 of {host}: {error.strerror}"
    return ""


@contextmanager
def running_internet(directory: Path) -> Iterator[Internet]:
    """All servers, ready."""
    hints = directory / "root.hints"
    hints.write_text(f". 3600000 IN NS a.root.\na.root. 3600000 IN A {ROOT}\n")
    root = Peer("nsd", directory / "root", {".": ROOT_ZONE, "test.": TEST_ZONE}, ROOT)
    try:
        child = Peer("nsd", directory / "child", {"child.example.test.": CHILD_ZONE}, CHILD)
        try:
            dns_flags = [f"{NS1}:53", f"{NS2}:53"]
            (directory / "geodns").mkdir()
            with running_server(directory / "geodns", dns=dns_flags, nsid="judged") as server:
                server.host, server.dns_port = NS1, 53
                server.apply(DOCUMENT)
                for peer, apex in ((root, "."), (child, "child.example.test.")):
                    peer.await_zones([dns.message.make_query(apex, "SOA").to_wire()])
                yield Internet(server, hints, directory)
        finally:
            child.close()
    finally:
        root.close()


@contextmanager
def running_unbound(internet: Internet) -> Iterator[int]:
    """A resolver of that Internet; its port."""
    directory, port = internet.directory / "unbound", free_port()
    directory.mkdir()
    conf = directory / "conf"
    conf.write_text(UNBOUND.format(directory=directory, port=port, hints=internet.hints))
    program = shutil.which("unbound", path=PATH)
    assert program is not None
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([program, "-d", "-c", str(conf)], stdout=log, stderr=log)
    try:
        until(lambda: _answers(port), (directory / "log").read_text, PATIENCE_S)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    query = dns.message.make_query("a.root.", "A")
    try:
        return bool(dns.query.udp(query, "127.0.0.1", 1, port).answer)
    except (OSError, dns.exception.DNSException):
        return False
