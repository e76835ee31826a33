"""RFC 8914: extended errors say when steering is degraded."""

from __future__ import annotations

import dns.edns
import dns.message
import dns.rcode
import pytest
from support.build import PARIS, ROME, config, node, zone
from support.lab import Lab

from geodns.geo.world import World

OTHER = 0  # RFC 8914 section 4.1


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World, engine: str) -> Lab:
    """Both nodes of both pools are down; one pool then answers, the other does not."""
    made = config(
        zones={
            "example.test": zone(
                steers={"open": "open", "closed": "closed"},
                rrsets={"static": {"A": ["192.0.2.1"]}, "to-open": {"CNAME": ["open"]}},
            )
        },
        nodes={"rome": node(ROME, "198.18.0.1"), "paris": node(PARIS, "198.18.0.2")},
        pools={
            "open": {"nodes": ["rome"], "monitor": "web"},
            "closed": {"nodes": ["paris"], "monitor": "web", "all_down": "closed"},
        },
        monitors={"web": {"type": "tcp", "port": 80}},
    )
    lab = Lab(tmp_path_factory.mktemp("degraded"), tiny_world, made, engine=engine)
    lab.down(["198.18.0.1", "198.18.0.2"], "web")
    return lab


def errors(reply: dns.message.Message) -> list[tuple[int, str]]:
    found = [option for option in reply.options if isinstance(option, dns.edns.EDEOption)]
    return [(int(option.code), option.text or "") for option in found]


def test_section_2_an_answer_that_fails_open_says_so(lab: Lab) -> None:
    reply = lab.ask("open.example.test")
    assert len(reply.answer) == 1
    assert errors(reply) == [(OTHER, "failing open: no healthy node")]


def test_section_2_nodata_for_want_of_a_node_says_so(lab: Lab) -> None:
    reply = lab.ask("closed.example.test")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
    assert errors(reply) == [(OTHER, "no usable node")]


def test_section_2_at_the_end_of_an_alias_too(lab: Lab) -> None:
    assert len(errors(lab.ask("to-open.example.test"))) == 1


def test_section_3_without_edns_there_is_no_room_for_it(lab: Lab) -> None:
    reply = lab.ask("open.example.test", edns=False)
    assert (len(reply.answer), reply.edns) == (1, -1)


def test_section_2_where_nothing_is_wrong_nothing_is_said(lab: Lab) -> None:
    for name in ("static", "nothing"):
        assert errors(lab.ask(f"{name}.example.test")) == []


def test_section_2_the_text_ends_without_a_nul(lab: Lab) -> None:
    octets = lab.raw(dns.message.make_query("open.example.test", "A", use_edns=0).to_wire())
    assert octets is not None
    assert octets.endswith(b"failing open: no healthy node")


def test_section_3_beside_client_subnet_both_are_there(lab: Lab) -> None:
    reply = lab.ask("open.example.test", subnet="1.2.3.0/24")
    assert sorted(int(option.otype) for option in reply.options) == [8, 15]


@pytest.fixture(scope="module")
def steered(tmp_path_factory: pytest.TempPathFactory, tiny_world: World, engine: str) -> Lab:
    made = config(
        zones={"example.test": zone(steers={"www": "web", "listed": "listed"})},
        nodes={"rome": node(ROME, "198.18.0.1"), "paris": node(PARIS, "198.18.0.2")},
        pools={
            "web": {"nodes": ["rome", "paris"]},
            "listed": {"nodes": ["rome", "paris"], "order": "listed"},
        },
    )
    return Lab(tmp_path_factory.mktemp("steered"), tiny_world, made, engine=engine)


@pytest.mark.parametrize(
    ("subnet", "resolver"),
    [
        ("9.9.9.0/24", "1.1.1.1"),  # in no network of the tiny world
        ("2c0f::/32", "1.1.1.1"),
        ("64:ff9b::909:909/128", "1.1.1.1"),
        ("10.1.2.0/24", "127.0.0.1"),
        (None, "127.0.0.1"),
        (None, "::1"),
        (None, "2c0f::1"),
    ],
)
def test_section_2_an_answer_without_a_place_to_go_by_says_so(
    steered: Lab, subnet: str | None, resolver: str
) -> None:
    reply = steered.ask("www.example.test", subnet=subnet, resolver=resolver)
    assert errors(reply) == [(OTHER, "location unknown")]


@pytest.mark.parametrize(
    ("subnet", "resolver"), [("1.2.3.0/24", "127.0.0.1"), ("2a00::/32", "::1"), (None, "2.1.1.1")]
)
def test_an_answer_for_a_known_place_says_nothing(
    steered: Lab, subnet: str | None, resolver: str
) -> None:
    assert errors(steered.ask("www.example.test", subnet=subnet, resolver=resolver)) == []


def test_where_the_place_does_not_matter_its_want_is_not_told(steered: Lab) -> None:
    assert errors(steered.ask("listed.example.test", resolver="127.0.0.1")) == []
    assert errors(steered.ask("listed.example.test", resolver="2c0f::1")) == []
