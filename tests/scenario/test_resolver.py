"""The programs people use: dig, and unbound as a resolver that reaches us by itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from support.lab import addresses_of
from support.server import Server, free_port, until

from .conftest import ADDRESSES, USER, tool

# -- dig


def dig(server: Server, *words: str) -> str:
    command = [tool("dig"), "@127.0.0.1", "-p", str(server.dns_port), "+tries=1", "+time=3", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout


def test_dig_with_a_subnet_shows_the_nearest_node_and_the_scope(server: Server) -> None:
    said = dig(server, "www.example.test", f"+subnet={USER}")
    assert "status: NOERROR" in said
    assert f"IN\tA\t{ADDRESSES['lon']}" in said
    line = next(line for line in said.splitlines() if "CLIENT-SUBNET" in line)
    assert line.split()[2].startswith("81.2.69.0/24/")
    assert not line.endswith("/0"), "the scope of a steered answer"
    assert "flags: qr aa" in said


def test_dig_over_tcp_gets_the_same(server: Server) -> None:
    words = ("www.example.test", f"+subnet={USER}", "+short")
    assert dig(server, "+tcp", *words) == dig(server, *words) == ADDRESSES["lon"] + "\n"


def test_dig_retries_over_tcp_what_does_not_fit(server: Server) -> None:
    words = ("big.example.test", "TXT", "+bufsize=512", "+noquestion")
    whole = dig(server, *words)
    assert "Truncated, retrying in TCP mode" in whole
    assert whole.count("IN\tTXT") == 10
    cut = dig(server, *words, "+ignore")
    assert "flags: qr aa tc" in cut
    assert whole.count("IN\tTXT") > cut.count("IN\tTXT")


def test_dig_explains(server: Server) -> None:
    said = dig(server, "TXT", "_explain.www.example.test", f"+subnet={USER}", "+short")
    assert f'"01 www.example.test A = lon {ADDRESSES["lon"]}' in said
    assert "generation" in said


def test_dig_sees_who_answers(server: Server) -> None:
    assert '("scenario")' in dig(server, "www.example.test", "+nsid")
    assert "geodns" in dig(server, "CH", "TXT", "version.bind", "+short")
    assert '"scenario"' in dig(server, "CH", "TXT", "id.server", "+short")


def test_dig_finds_nothing_wrong(server: Server) -> None:
    for words in (
        ("nothing.example.test",),
        ("www.example.test", "MX"),
        ("example.test", "SOA"),
        ("example.test", "ANY"),
        ("www.example.test", "+dnssec"),
        ("www.example.test", "+cookie"),
        ("www.example.test", "+noedns"),
        ("www.example.test", "AAAA", f"+subnet={USER}"),
        ("other.example", "A"),
    ):
        said = dig(server, *words)
        for complaint in (";; Warning", "malformed", "mismatch", "extra bytes", "timed out"):
            assert complaint not in said, said


# -- unbound


CONFIG = """
server:
    interface: 127.0.0.1
    port: {port}
    username: ""
    chroot: ""
    directory: "{directory}"
    pidfile: ""
    use-syslog: no
    logfile: ""
    do-daemonize: no
    num-threads: 1
    do-ip6: no
    module-config: "iterator"
    do-not-query-localhost: no
    local-zone: "test." nodefault
    root-hints: ""
stub-zone:
    name: "example.test."
    stub-addr: 127.0.0.1@{dns_port}
remote-control:
    control-enable: no
"""


@dataclass(frozen=True)
class Resolver:
    port: int

    def ask(self, name: str, rtype: str = "A") -> dns.message.Message:
        return dns.query.udp(dns.message.make_query(name, rtype), "127.0.0.1", 3, self.port)


@pytest.fixture(scope="module")
def resolver(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resolver]:
    program = tool("unbound")
    directory, port = tmp_path_factory.mktemp("unbound"), free_port()
    config = directory / "unbound.conf"
    config.write_text(
        CONFIG.format(port=port, directory=directory, dns_port=shared_server.dns_port)
    )
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([program, "-d", "-c", str(config)], stdout=output, stderr=output)
    try:
        resolver = Resolver(port)
        until(lambda: is_up(process, resolver, log), "unbound does not answer")
        yield resolver
    finally:
        process.terminate()
        process.wait(10)


def is_up(process: subprocess.Popen[bytes], resolver: Resolver, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return resolver.ask("version.server", "TXT").rcode() is not None
    except (dns.exception.Timeout, OSError):
        return False


def test_a_resolver_resolves_a_steered_name_through_us(resolver: Resolver) -> None:
    reply = resolver.ask("www.example.test")
    assert reply.rcode() == dns.rcode.NOERROR
    assert reply.flags & dns.flags.RA
    assert addresses_of(reply) < set(ADDRESSES.values())
    assert len(addresses_of(reply)) == 1


def test_a_resolver_finds_static_names_and_wildcards(resolver: Resolver) -> None:
    assert "here" in resolver.ask("static.example.test", "TXT").answer[0].to_text()
    assert addresses_of(resolver.ask("any.wild.example.test")) == {"192.0.2.7"}


def test_a_resolver_fetches_a_large_answer(resolver: Resolver) -> None:
    reply = dns.query.tcp(
        dns.message.make_query("big.example.test", "TXT"), "127.0.0.1", 3, resolver.port
    )
    assert len(reply.answer[0]) == 10


def test_a_resolver_believes_our_denials(resolver: Resolver) -> None:
    for name, rtype, rcode in (
        ("nothing.example.test", "A", dns.rcode.NXDOMAIN),
        ("static.example.test", "MX", dns.rcode.NOERROR),
    ):
        reply = resolver.ask(name, rtype)
        assert (reply.rcode(), reply.answer) == (rcode, [])
        assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]


def test_a_resolver_keeps_a_ttl_we_give_and_no_longer(resolver: Resolver) -> None:
    ttl = resolver.ask("www.example.test").answer[0].ttl
    assert 0 < ttl <= 30
