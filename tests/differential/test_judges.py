"""What programs that know DNS make of us: unbound resolves, kdig, delv and Zonemaster judge."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from differential.internet import NS1, Internet, obstacle, running_internet, running_unbound
from differential.peers import PATH

PROGRAMS = ("nsd", "unbound", "kdig", "delv", "zonemaster-cli")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    missing = [program for program in PROGRAMS if shutil.which(program, path=PATH) is None]
    reason = obstacle() or (missing and f"not installed: {', '.join(missing)}")
    if reason:
        assert os.environ.get("CI") != "true", reason
        pytest.skip(reason)
    with running_internet(tmp_path_factory.mktemp("internet")) as internet:
        yield internet


def run(*command: str, timeout_s: float = 60) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, check=False, env={"PATH": PATH}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- unbound: a resolver from the root down ---


@pytest.fixture(scope="module")
def resolver(internet: Internet) -> Iterator[int]:
    with running_unbound(internet) as port:
        yield port


@pytest.mark.parametrize(
    ("name", "rtype", "rcode", "found"),
    [
        ("www.example.test", "A", "NOERROR", ["198.18.0.1"]),
        ("www.example.test", "AAAA", "NOERROR", []),
        ("host.example.test", "AAAA", "NOERROR", ["2001:db8::1"]),
        ("any.thing.wild.example.test", "A", "NOERROR", ["host.example.test.", "192.0.2.1"]),
        ("any.steered.example.test", "A", "NOERROR", ["www.example.test.", "198.18.0.1"]),
        ("www.old.example.test", "A", "NOERROR", ["www.new.other.test.", "192.0.2.2"]),
        ("x.y.old.example.test", "TXT", "NOERROR", ["x.y.new.other.test.", '"deep"']),
        ("no.old.example.test", "A", "NXDOMAIN", ["no.new.other.test."]),
        ("alias.example.test", "A", "NOERROR", ["www.new.other.test.", "192.0.2.2"]),
        ("www.child.example.test", "A", "NOERROR", ["192.0.2.80"]),
        ("to-child.example.test", "A", "NOERROR", ["www.child.example.test.", "192.0.2.80"]),
        ("no.child.example.test", "A", "NXDOMAIN", []),
        ("b.ent.example.test", "A", "NOERROR", []),
        ("a.b.ent.example.test", "TXT", "NOERROR", ['"below"']),
        ("nothing.example.test", "A", "NXDOMAIN", []),
        ("2.0.53.127.in-addr.arpa", "PTR", "NOERROR", ["ns1.example.test."]),
    ],
)
def test_unbound_resolves(
    resolver: int, name: str, rtype: str, rcode: str, found: list[str]
) -> None:
    reply = dns.query.udp(dns.message.make_query(name, rtype), "127.0.0.1", 10, resolver)
    assert dns.rcode.to_text(reply.rcode()) == rcode
    values = [item.to_text() for rrset in reply.answer if rrset.rdtype != 39 for item in rrset]
    assert [value.lower() for value in values] == found  # it asks in cAsEs of its own


def test_unbound_takes_what_is_too_big_for_udp_over_tcp(resolver: int) -> None:
    query = dns.message.make_query("big.example.test", "TXT")
    reply = dns.query.tcp(query, "127.0.0.1", 10, resolver)
    assert [len(rrset) for rrset in reply.answer] == [30]


# --- kdig and delv ---


def test_kdig_sees_cookie_nsid_and_client_subnet(internet: Internet) -> None:
    said = run("kdig", f"@{NS1}", "www.example.test", "+cookie", "+nsid", "+subnet=1.2.3.0/24")
    assert "status: NOERROR" in said
    assert re.search(r"^www\.example\.test\.\s+30\s+IN\s+A\s+198\.18\.0\.1$", said, re.M)
    assert re.search("COOKIE: [0-9A-F]{16}01000000[0-9A-F]{24}$", said, re.M)
    assert 'NSID: 6A7564676564 "judged"' in said
    assert re.search("CLIENT-SUBNET: 1.2.3.0/24/[0-9]+$", said, re.M)


def test_kdig_keeps_a_tcp_connection_open(internet: Internet) -> None:
    names = ("big.example.test", "TXT", "host.example.test", "A")
    said = run("kdig", f"@{NS1}", "+tcp", "+keepopen", *names)
    assert said.count("status: NOERROR") == 2
    assert "192.0.2.1" in said


def test_delv_takes_what_we_say(internet: Internet) -> None:
    """Without ``-i`` it wants a chain of trust from a signed root, which this Internet lacks."""
    said = run("delv", "-i", f"@{NS1}", "host.example.test", "AAAA")
    assert said.startswith("; authoritative\n")
    assert "2001:db8::1" in said
    alias = run("delv", "-i", f"@{NS1}", "www.old.example.test", "A")
    assert "192.0.2.2" in alias


# --- Zonemaster: the checks of the registries ---

EXPECTED = {
    "NAMESERVER_IP_PRIVATE_NETWORK": "this Internet is on loopback",
    "NO_IPV6_NS_CHILD": "and has no IPv6",
    "NO_IPV6_NS_DEL": "nor has the delegation",
    "NEITHER_DNSKEY_NOR_DS": "zones are not signed",
    "NOT_SIGNED": "zones are not signed",
    "RNAME_MAIL_DOMAIN_INVALID": "zones of the test that take no mail",
    "Z09_MISSING_MAIL_TARGET": "zones of the test that take no mail",
    "SOA_DEFAULT_TTL_MAXIMUM_VALUE_LOWER": "negative_ttl is 30 s: steered names come and go",
}


@pytest.mark.parametrize("zone", ["example.test", "other.test", "53.127.in-addr.arpa"])
def test_zonemaster_finds_nothing_but_what_is_meant(internet: Internet, zone: str) -> None:
    options = ("--no-ipv6", "--level", "NOTICE", "--json", "--no-progress")
    said = run("zonemaster-cli", "--hints", str(internet.hints), *options, zone)
    found = json.loads(said)
    assert "NOT_SIGNED" in {entry["tag"] for entry in found}  # it came as far as that
    assert [entry for entry in found if entry["tag"] not in EXPECTED] == []
