"""Where names end: the root, reverse zones, 255 octets, odd octets, other classes.

Knot and NSD say the same of zones: the random worlds have all of these too.
"""

from __future__ import annotations

import struct

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from support.build import config, zone
from support.lab import Lab, addresses_of, question

from geodns.geo.world import World

L63 = "l" * 63
DEEP = ".".join([L63, L63, L63, "m" * (255 - 3 * 64 - len("\7longest\4test\0") - 1)])
"""Below longest.test it makes a name of 255 octets."""
MANY = ".".join("a" * ((255 - len("\7longest\4test\0")) // 2))
"""As many labels as a name can have there."""

ROOT = {
    "nameservers": ["a.nic.example."],
    "rrsets": {
        "example": {"NS": ["ns.example."], "DS": ["1 13 2 " + "ab" * 32]},
        "ns.example": {"A": ["192.0.2.1"]},
        "a.nic.example": {"A": ["192.0.2.2"]},
        "*.wild": {"TXT": ["root"]},
        "alias": {"CNAME": ["host.2.0.192.in-addr.arpa."]},
        "old": {"DNAME": ["new"]},
        "www.new": {"A": ["192.0.2.3"]},
    },
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World) -> Lab:
    made = config(
        zones={
            "longest.test": zone(
                rrsets={
                    DEEP: {"A": ["192.0.2.4"], "TXT": ["deepest"]},
                    MANY: {"A": ["192.0.2.5"]},
                    "to-deep": {"CNAME": [DEEP]},
                    "mx": {"MX": [f"10 {DEEP}"]},
                }
            ),
            "2.0.192.in-addr.arpa": zone(
                rrsets={
                    "1": {"PTR": ["Host.Example."]},
                    "*": {"PTR": ["any.example."]},
                    "host": {"A": ["192.0.2.6"]},
                    "0\\04726": {"NS": ["ns.far.invalid."]},  # RFC 2317: 0/26
                    "5": {"CNAME": ["5.0\\04726"]},
                }
            ),
            "8.b.d.0.1.0.0.2.ip6.arpa": zone(
                rrsets={".".join("1" + "0" * 23): {"PTR": ["six.example."]}}
            ),
            "odd.test": zone(
                rrsets={
                    octets: {"A": [f"192.0.2.{number}"]}
                    for number, octets in enumerate(
                        [
                            "\\000",
                            "\\046",
                            "\\064",
                            "\\092",
                            "\\255",
                            "\\032",
                            "\\192\\012",
                            "\\010",
                        ]
                    )
                }
            ),
            "@": ROOT,
        }
    )
    return Lab(tmp_path_factory.mktemp("edges"), tiny_world, made)


# --- The root as a zone ---


@pytest.mark.parametrize("rtype", ["SOA", "NS"])
def test_the_root_answers_for_itself(lab: Lab, rtype: str) -> None:
    reply = lab.ask(".", rtype)
    assert reply.flags & dns.flags.AA
    assert [rrset.name for rrset in reply.answer] == [dns.name.root]


def test_the_root_denies_what_it_does_not_hold(lab: Lab) -> None:
    reply = lab.ask("nothing.", "A")
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert reply.authority[0].name == dns.name.root
    nodata = lab.ask(".", "A")
    assert (nodata.rcode(), nodata.answer) == (dns.rcode.NOERROR, [])


def test_the_root_has_no_parent_to_ask_for_ds(lab: Lab) -> None:
    reply = lab.ask(".", "DS")
    assert (reply.rcode(), reply.authority[0].name) == (dns.rcode.NOERROR, dns.name.root)


def test_the_root_refers(lab: Lab) -> None:
    reply = lab.ask("www.example.", "A")
    assert not reply.flags & dns.flags.AA
    assert str(reply.authority[0].name) == "example."
    assert addresses_of(lab.ask("example.", "NS")) == set()
    assert [str(rrset.name) for rrset in reply.additional] == ["ns.example."]
    assert lab.ask("example.", "DS").flags & dns.flags.AA


def test_the_root_has_wildcards_aliases_and_dnames(lab: Lab) -> None:
    assert len(lab.ask("x.y.wild.", "TXT").answer) == 1
    assert lab.ask("wild.", "TXT").answer == []
    assert addresses_of(lab.ask("www.old.", "A")) == {"192.0.2.3"}
    assert addresses_of(lab.ask("alias.", "A")) == {"192.0.2.6"}


def test_deeper_zones_are_served_before_the_root(lab: Lab) -> None:
    assert str(lab.ask("nothing.longest.test").authority[0].name) == "longest.test."
    assert lab.ask("test.").authority[0].name == dns.name.root


# --- Reverse zones ---


def test_reverse_names_answer_ptr(lab: Lab) -> None:
    (item,) = lab.ask("1.2.0.192.in-addr.arpa", "PTR").answer[0]
    assert item.target.labels == (b"Host", b"Example", b"")
    reply = lab.ask("7.2.0.192.in-addr.arpa", "PTR")
    assert str(reply.answer[0][0].target) == "any.example."


def test_reverse_names_of_ipv6_have_34_labels(lab: Lab) -> None:
    name = "1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa"
    assert str(lab.ask(name, "PTR").answer[0][0].target) == "six.example."
    middle = "0." * 10 + "8.b.d.0.1.0.0.2.ip6.arpa"
    assert (lab.ask(middle, "PTR").rcode(), lab.ask(middle, "PTR").answer) == (0, [])


def test_rfc2317_a_classless_delegation_has_a_slash(lab: Lab) -> None:
    reply = lab.ask("5.2.0.192.in-addr.arpa", "PTR")
    assert [rrset.rdtype for rrset in reply.answer] == [dns.rdatatype.CNAME]
    assert str(reply.authority[0].name) == "0/26.2.0.192.in-addr.arpa."


# --- Lengths ---


@pytest.mark.parametrize(("name", "address"), [(DEEP, "192.0.2.4"), (MANY, "192.0.2.5")])
def test_names_of_255_octets_are_answered(lab: Lab, name: str, address: str) -> None:
    asked = dns.name.from_text(f"{name}.longest.test.")
    assert len(asked.to_wire()) in (254, 255)
    for spelled in (asked, dns.name.from_text(asked.to_text().upper())):
        assert addresses_of(lab.ask(spelled.to_text())) == {address}


def test_each_name_above_the_longest_exists(lab: Lab) -> None:
    name = dns.name.from_text(f"{MANY}.longest.test.")
    while len(name) > 4:
        name = name.parent()
        assert (lab.ask(name.to_text()).rcode(), lab.ask(name.to_text()).answer) == (0, [])


def test_the_longest_name_may_be_an_alias_target_and_data(lab: Lab) -> None:
    assert addresses_of(lab.ask("to-deep.longest.test")) == {"192.0.2.4"}
    (item,) = lab.ask("mx.longest.test", "MX").answer[0]
    assert len(item.exchange.to_wire()) == 255


def raw(lab: Lab, qname: bytes, rclass: int = 1, rtype: int = 1) -> bytes:
    header = struct.pack(">6H", 7, 0, 1, 0, 0, 0)
    octets = lab.raw(header + qname + struct.pack(">2H", rtype, rclass))
    assert octets is not None
    return octets


def test_names_of_256_octets_and_labels_of_64_are_malformed(lab: Lab) -> None:
    longest = dns.name.from_text(f"{DEEP}.longest.test.").to_wire()
    assert raw(lab, longest)[3] & 15 == dns.rcode.NOERROR
    assert raw(lab, b"\1b" + longest)[3] & 15 == dns.rcode.FORMERR
    assert raw(lab, b"\x40" + b"b" * 64 + b"\0")[3] & 15 == dns.rcode.FORMERR
    for labels in (128, 150, 500):
        assert raw(lab, b"\1b" * labels + b"\0")[3] & 15 == dns.rcode.FORMERR


def test_documents_cannot_name_what_is_too_long() -> None:
    for owner in (f"a.{DEEP}", "x" * 64):
        with pytest.raises(Exception, match=r"at most (255|63)"):
            config(zones={"longest.test": zone(rrsets={owner: {"A": ["192.0.2.1"]}})})


# --- Odd octets ---


@pytest.mark.parametrize(
    ("label", "address"),
    [
        (b"\0", "192.0.2.0"),
        (b".", "192.0.2.1"),
        (b"@", "192.0.2.2"),
        (b"\\", "192.0.2.3"),
        (b"\xff", "192.0.2.4"),
        (b" ", "192.0.2.5"),
        (b"\xc0\x0c", "192.0.2.6"),
        (b"\n", "192.0.2.7"),
    ],
)
def test_a_label_may_have_any_octets(lab: Lab, label: bytes, address: str) -> None:
    query = question("odd.test")
    query.question[0].name = dns.name.Name((label, b"odd", b"test", b""))
    reply = lab.reply(query)
    assert addresses_of(reply) == {address}
    assert reply.answer[0].name.labels[0] == label


def test_only_ascii_letters_have_case(lab: Lab) -> None:
    """RFC 4343 section 3: 0xDF and 0xFF are two octets, though 0x20 apart as A and a are."""
    query = question("odd.test")
    query.question[0].name = dns.name.Name((b"\xdf", b"odd", b"test", b""))
    assert lab.reply(query).rcode() == dns.rcode.NXDOMAIN


# --- Classes ---


@pytest.mark.parametrize("rclass", ["CH", "HS", "NONE", "CLASS2", "CLASS65280"])
@pytest.mark.parametrize("name", ["longest.test", "nothing.longest.test", ".", "version.bind"])
def test_zones_are_of_class_in_only(lab: Lab, name: str, rclass: str) -> None:
    query = question("longest.test", "SOA")
    query.question[0].name = dns.name.from_text(name)
    query.question[0].rdclass = dns.rdataclass.from_text(rclass)
    octets = lab.raw(query.to_wire())
    assert octets is not None
    assert octets[3] & 15 == dns.rcode.REFUSED
    assert not octets[2] & 4  # AA
    assert octets[6:10] == bytes(4)
    assert octets[12 : 12 + len(query.question[0].name.to_wire()) + 4] in query.to_wire()


def test_class_any_is_answered_from_class_in_without_authority(lab: Lab) -> None:
    """RFC 1035 section 6.2: who knows one class only cannot speak for all."""
    octets = raw(lab, dns.name.from_text(f"{DEEP}.longest.test.").to_wire(), rclass=255)
    assert (octets[3] & 15, octets[2] & 4, octets[7]) == (dns.rcode.NOERROR, 0, 1)
