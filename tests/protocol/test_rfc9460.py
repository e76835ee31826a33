"""RFC 9460: SVCB and HTTPS records that an operator has written."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rdtypes.svcbbase as svcb
import pytest
from support.build import config, zone
from support.lab import Lab

from geodns.geo.world import World

FULL = (
    r'1 svc.example.net. mandatory=alpn,port alpn="h2,h3" no-default-alpn port=8443 '
    r"ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 ech=AAT+DQAA key65333=\001\255"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World, engine: str) -> Lab:
    made = config(
        zones={
            "example.test": zone(
                rrsets={
                    "@": {"HTTPS": ["0 svc"]},
                    "www": {"HTTPS": ["1 . alpn=h2,h3", "2 Backup.example.net. port=444"]},
                    "full": {"HTTPS": [FULL], "SVCB": [FULL]},
                    "svc": {"A": ["192.0.2.7"], "HTTPS": ["1 . alpn=h2"]},
                    "_8443._foo": {"SVCB": ["1 svc"]},
                    "*.wild": {"HTTPS": ["1 ."]},
                    "alias": {"CNAME": ["www"]},
                }
            )
        }
    )
    return Lab(tmp_path_factory.mktemp("svcb"), tiny_world, made, engine=engine)


def records(lab: Lab, name: str, rtype: str = "HTTPS") -> list[svcb.SVCBBase]:
    return list(lab.ask(f"{name}.example.test".removeprefix("@."), rtype).answer[-1])


def test_section_2_2_every_parameter_comes_as_it_was_written(lab: Lab) -> None:
    for rtype in ("HTTPS", "SVCB"):
        (item,) = records(lab, "full", rtype)
        assert (item.priority, str(item.target)) == (1, "svc.example.net.")
        assert [int(key) for key in item.params] == [0, 1, 2, 3, 4, 5, 6, 65333]
        assert item.params[65333].value == b"\1\xff"
        assert [str(a) for a in item.params[4].addresses] == ["192.0.2.1", "192.0.2.2"]
        assert item.params[0].keys == (1, 3)


def test_section_2_2_on_the_wire_keys_increase(lab: Lab) -> None:
    (item,) = records(lab, "full")
    octets = lab.raw(dns.message.make_query("full.example.test", "HTTPS").to_wire())
    assert octets is not None
    assert item.to_wire() in octets


def test_section_2_2_the_target_is_not_compressed(lab: Lab) -> None:
    octets = lab.raw(dns.message.make_query("example.test", "HTTPS").to_wire())
    assert octets is not None
    assert octets.endswith(b"\0\0\3svc\7example\4test\0")


def test_section_2_5_a_dot_stays_a_dot(lab: Lab) -> None:
    first = min(records(lab, "www"), key=lambda item: item.priority)
    assert first.target == dns.name.root


def test_section_2_4_2_alias_mode_may_stand_at_the_apex(lab: Lab) -> None:
    (item,) = records(lab, "@")
    assert (item.priority, str(item.target), item.params) == (0, "svc.example.test.", {})


def test_section_2_3_an_attrleaf_name_is_a_name(lab: Lab) -> None:
    assert str(records(lab, "_8443._foo", "SVCB")[0].target) == "svc.example.test."


def test_section_2_3_wildcards_and_aliases_are_as_for_other_types(lab: Lab) -> None:
    assert len(records(lab, "a.b.wild")) == 1
    reply = lab.ask("alias.example.test", "HTTPS")
    assert [rrset.rdtype for rrset in reply.answer] == [5, 65]


def test_section_4_1_replies_are_small_addresses_must_be_asked_for(lab: Lab) -> None:
    """Adding them is a SHOULD that no resolver relies on; we add nothing outside referrals."""
    assert lab.ask("example.test", "HTTPS").additional == []


def test_where_there_is_none_it_is_nodata(lab: Lab) -> None:
    reply = lab.ask("svc.example.test", "SVCB")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "65536 .",
        "-1 .",
        "1 . port=65536",
        "1 . port=a",
        "1 . alpn=",
        "1 . alpn=h2 alpn=h3",
        "1 . ipv4hint=192.0.2.256",
        "1 . ipv6hint=192.0.2.1",
        "1 . mandatory=port",
        "1 . mandatory=mandatory",
        "1 . no-default-alpn",
        "1 . key65536=a",
        "1 . unknown=a",
        "1 . ech=?",
    ],
)
def test_section_2_1_what_is_not_well_formed_is_refused(text: str) -> None:
    with pytest.raises(AssertionError, match="HTTPS"):
        config(zones={"example.test": zone(rrsets={"x": {"HTTPS": [text]}})})
