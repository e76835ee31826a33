"""Debug names: who may ask, what is told, and that they are ordinary names to all others."""

from __future__ import annotations

from ipaddress import ip_network

import dns.message
import dns.rcode
import pytest
from dns.edns import ECSOption, GenericOption
from support.build import NEW_YORK, ROME, config, node, zone
from support.lab import Lab, question

from geodns import __version__
from geodns.engine.cookies import CookieJar
from geodns.engine.debug import DebugNames
from geodns.engine.responder import Responder, Surroundings
from geodns.geo.world import World

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
NODES = {"rome": node(ROME, "198.18.0.1", "2001:db8::1"), "york": node(NEW_YORK, "198.18.0.2")}
ROMAN = "1.2.3.0/24"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World) -> Lab:
    zones = {
        "example.test": zone({"www": "web"}, {"_explain.own": {"TXT": ["mine"]}}),
        "open.test": zone(whoami=True, nameservers=["ns.example."]),
        "wild.test": zone(rrsets={"*": {"TXT": ["wild"]}}, nameservers=["ns.example."]),
    }
    made = config(zones, NODES, {"web": {"nodes": ["rome", "york"]}})
    return Lab(tmp_path_factory.mktemp("lab"), tiny_world, made)


def texts(
    lab: Lab,
    name: str,
    *,
    resolver: str = "127.0.0.1",
    tcp: bool = False,
    sources: tuple[object, ...] = LOOPBACK,
    subnet: str | None = ROMAN,
    rclass: str = "IN",
    rtype: str = "TXT",
) -> list[str] | str:
    """The texts of the answer, or the rcode if there is none."""
    debug = DebugNames(sources, "ns1", lambda: 1_000_000)  # type: ignore[arg-type]
    responder = Responder(lab.generation, lab.status, Surroundings(debug=debug))
    query = question(name, rtype, subnet, rclass=rclass)
    octets = responder.respond(query.to_wire(), resolver, tcp=tcp)
    assert octets is not None
    reply = dns.message.from_wire(octets)
    if not reply.answer:
        return dns.rcode.to_text(reply.rcode())
    return [b"".join(record.strings).decode() for rrset in reply.answer for record in rrset]


def test_explain_says_who_answers_whom_and_why(lab: Lab) -> None:
    lines = texts(lab, "_explain.www.example.test")
    assert sorted(lines) == [
        "01 www.example.test A = rome 198.18.0.1 ttl 30 scope /8 generation 1",
        "02 subject 1.2.3.0/24 by ECS, resolver 127.0.0.1",
        f"03 place ZZ 41.90,12.50 by Test-City {lab.generation.geo.about()['build_date'][:7]}",
        "04 rule catch-all -> pool web, nearest",
        "05 + rome 198.18.0.1 0 km: unknown, no monitor",
        "06 . york 198.18.0.2 6891 km tier 2: unknown, no monitor",
        "07 scope /8: the widest prefix with this class",
    ]


def test_explain_of_the_other_family(lab: Lab) -> None:
    lines = texts(lab, "_aaaa._explain.www.example.test")
    assert "www.example.test AAAA = rome 2001:db8::1" in lines[0]


def test_status_tells_every_target(lab: Lab) -> None:
    assert sorted(texts(lab, "_status.www.example.test")) == [
        "web rome 198.18.0.1: unknown",
        "web rome 2001:db8::1: unknown",
        "web york 198.18.0.2: unknown",
    ]


def test_explain_outside_our_zones_is_refused(lab: Lab) -> None:
    assert texts(lab, "_explain.www.elsewhere.example") == "REFUSED"


@pytest.mark.parametrize("name", ["_explain.www.example.test", "_status.www.example.test"])
def test_to_others_debug_names_do_not_exist(lab: Lab, name: str) -> None:
    assert texts(lab, name, resolver="192.0.2.1") == "NXDOMAIN"


def test_elsewhere_a_source_must_be_proven(lab: Lab) -> None:
    sources = (ip_network("192.0.2.0/24"),)
    name = "_explain.www.example.test"
    assert texts(lab, name, resolver="192.0.2.1", sources=sources) == "NXDOMAIN"
    assert "rome" in texts(lab, name, resolver="192.0.2.1", sources=sources, tcp=True)[0]


def test_an_owner_of_that_name_is_answered_instead(lab: Lab) -> None:
    assert texts(lab, "_explain.own.example.test") == ["mine"]


def test_to_others_a_wildcard_covers_debug_names(lab: Lab) -> None:
    assert texts(lab, "_whoami.wild.test", resolver="192.0.2.1") == ["wild"]


def test_whoami_is_open_where_the_zone_says_so(lab: Lab) -> None:
    told = texts(lab, "_whoami.open.test", resolver="192.0.2.1")
    assert set(told) == {"resolver 192.0.2.1", "subnet 1.2.3.0/24"}
    assert texts(lab, "_whoami.example.test", resolver="192.0.2.1") == "NXDOMAIN"


@pytest.mark.parametrize(("name", "rclass"), [("_whoami.open.test", "IN"), ("id.server", "CH")])
def test_a_debug_name_is_answered_with_the_options_that_any_name_has(
    lab: Lab, name: str, rclass: str
) -> None:
    debug, jar = DebugNames(LOOPBACK, "ns1"), CookieJar([b"s" * 16], lambda: 1_700_000_000)
    responder = Responder(lab.generation, lab.status, Surroundings(b"ns1", jar, debug))
    query = question(name, "TXT", rclass=rclass)
    asked = [GenericOption(10, b"12345678"), GenericOption(3, b""), ECSOption("1.2.3.0", 24)]
    query.use_edns(0, options=asked)
    octets = responder.respond(query.to_wire(), "127.0.0.1")
    assert octets is not None
    reply = dns.message.from_wire(octets)
    found = {option.otype: option for option in reply.options}
    assert len(reply.answer) == 1
    assert sorted(found) == [3, 8, 10]
    assert found[10].to_wire()[:8] == b"12345678"  # RFC 7873 section 5.2.3
    assert found[8] == ECSOption("1.2.3.0", 24, 0)  # RFC 7871 section 7.2.1


def test_chaos_names_tell_version_and_identity(lab: Lab) -> None:
    ask = {"subnet": None, "rclass": "CH"}
    assert texts(lab, "version.bind", **ask) == [f"geodns {__version__}"]  # type: ignore[arg-type]
    assert texts(lab, "id.server", resolver="192.0.2.1", **ask) == ["ns1"]  # type: ignore[arg-type]
    assert texts(lab, "version.bind", resolver="192.0.2.1", **ask) == "REFUSED"  # type: ignore[arg-type]


def test_chaos_names_hold_only_texts(lab: Lab) -> None:
    assert texts(lab, "version.bind", subnet=None, rclass="CH", rtype="A") == "NOERROR"
    assert texts(lab, "id.server", subnet=None, rclass="CH", rtype="ANY") == ["ns1"]
