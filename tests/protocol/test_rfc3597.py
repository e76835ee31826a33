"""RFC 3597: types that nobody here knows."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from support.build import config, zone
from support.lab import Lab

from geodns.geo.world import World

POINTER = "c00c"  # what would be a compressed name, were this a type with names


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World, engine: str) -> Lab:
    made = config(
        zones={
            "example.test": zone(
                rrsets={
                    "odd": {
                        "TYPE65280": ["\\# 0", f"\\# 4 {POINTER}{POINTER}", "\\# 3 01 0203"],
                        "TYPE62347": ["\\# 1 ff"],
                        "A": ["\\# 4 c0000201"],
                        "MX": ["\\# 9 000a 03 4d 58 31 01 78 00"],
                    },
                    "numbered": {"TYPE28": ["2001:db8::1"]},
                    "*.wild": {"TYPE65280": ["\\# 2 abcd"]},
                    "to-odd": {"CNAME": ["odd"]},
                    "cut": {"NS": ["ns.far.invalid."]},
                    "full": {"TYPE65281": [f"\\# 32000 {'ab' * 32000}"]},
                }
            )
        }
    )
    return Lab(tmp_path_factory.mktemp("unknown"), tiny_world, made, engine=engine)


def data(reply: dns.message.Message) -> set[bytes]:
    return {item.to_wire() for rrset in reply.answer for item in rrset}


def test_section_3_the_octets_come_as_they_were_written(lab: Lab) -> None:
    reply = lab.ask("odd.example.test", "TYPE65280")
    assert data(reply) == {b"", bytes.fromhex(POINTER * 2), b"\1\2\3"}


def test_section_3_a_type_without_data_here_is_nodata(lab: Lab) -> None:
    for rtype in ("TYPE65281", "TYPE1000", "TYPE10", "TYPE128"):
        reply = lab.ask("odd.example.test", rtype)
        assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
        assert reply.authority[0].rdtype == dns.rdatatype.SOA


def test_section_3_wildcards_aliases_and_cuts_know_no_types(lab: Lab) -> None:
    assert data(lab.ask("any.wild.example.test", "TYPE65280")) == {b"\xab\xcd"}
    assert len(lab.ask("to-odd.example.test", "TYPE62347").answer) == 2
    assert lab.ask("www.cut.example.test", "TYPE62347").authority[0].rdtype == dns.rdatatype.NS


def test_section_4_nothing_inside_unknown_data_is_compressed(lab: Lab) -> None:
    octets = lab.raw(dns.message.make_query("odd.example.test", "TYPE65280").to_wire())
    assert octets is not None
    assert bytes.fromhex("0004" + POINTER * 2) in octets


def test_section_5_a_known_type_may_be_written_as_octets(lab: Lab) -> None:
    assert [str(item) for item in lab.ask("odd.example.test", "A").answer[0]] == ["192.0.2.1"]


def test_section_4_names_in_known_types_keep_their_case(lab: Lab) -> None:
    (item,) = lab.ask("odd.example.test", "MX").answer[0]
    assert item.exchange.labels == (b"MX1", b"x", b"")


def test_section_5_a_known_type_by_number_is_that_type(lab: Lab) -> None:
    reply = lab.ask("numbered.example.test", "AAAA")
    assert [str(item) for item in reply.answer[0]] == ["2001:db8::1"]


@pytest.mark.parametrize(
    "text", ["\\# 3 0102", "\\# 1 0102", "\\# x 01", "\\#", "0102", "\\# 1 0g"]
)
def test_section_5_octets_that_do_not_count_up_are_refused(text: str) -> None:
    with pytest.raises(AssertionError, match="TYPE65280"):
        config(zones={"example.test": zone(rrsets={"x": {"TYPE65280": [text]}})})


def test_a_record_of_32000_octets_goes_over_tcp_only(lab: Lab) -> None:
    assert lab.ask("full.example.test", "TYPE65281").flags & dns.flags.TC
    (octets,) = data(lab.ask("full.example.test", "TYPE65281", tcp=True))
    assert octets == b"\xab" * 32000
