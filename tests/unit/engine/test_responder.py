"""The responder as a whole: pure, and never at a loss for a reply."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import dns.message
import dns.rcode
import pytest
from support.build import ROME, config, node, zone
from support.lab import Lab, question

from geodns.engine import lookup
from geodns.engine.responder import Responder, check_generation
from geodns.errors import ConfigError
from geodns.geo.world import World
from geodns.snapshot.status import StatusTable, create_table


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World) -> Lab:
    nodes = {f"n{n}": node(ROME, f"198.18.0.{n}") for n in range(1, 9)}
    zones = {"example.test": zone({"www": "web"}, {"mail": {"A": ["192.0.2.1"]}})}
    made = config(zones, nodes, {"web": {"nodes": list(nodes)}})
    return Lab(tmp_path_factory.mktemp("lab"), tiny_world, made)


def test_two_responders_of_one_generation_answer_every_packet_alike(lab: Lab) -> None:
    other = Responder(lab.generation, lab.status)
    names = ("www", "mail", "nothing", "@")
    for number in range(300):
        query = question(f"{names[number % 4]}.example.test", subnet=f"{number % 223 + 1}.2.3.0/24")
        query.id = number
        packet = query.to_wire()
        assert other.respond(packet, "8.8.8.8") == lab.raw(packet)


def test_asking_before_does_not_change_an_answer(lab: Lab) -> None:
    packets = [question(f"{name}.example.test").to_wire() for name in ("www", "mail", "x")]
    fresh = Responder(lab.generation, lab.status)
    first = [fresh.respond(packet, "1.2.3.4") for packet in packets]
    again = [fresh.respond(packet, "1.2.3.4") for packet in reversed(packets)][::-1]
    assert first == again


def test_a_fault_of_ours_is_servfail_and_a_line_in_the_log(
    lab: Lab, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    create_table(tmp_path / "status", 1)  # too small for this generation
    responder = Responder(lab.generation, StatusTable(tmp_path / "status"))
    query = question("www.example.test")
    with caplog.at_level(logging.ERROR):
        octets = responder.respond(query.to_wire(), "1.2.3.4")
    assert octets is not None
    reply = dns.message.from_wire(octets)
    assert (reply.rcode(), reply.edns) == (dns.rcode.SERVFAIL, 0)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    static = responder.respond(question("mail.example.test").to_wire(), "1.2.3.4")
    assert static is not None
    assert dns.message.from_wire(static).answer


class ZoneWithout:
    """A zone table as a generation might hold it that was written wrongly."""

    apex = b"\4test\0"

    def __init__(self, owner: object) -> None:
        self._owner = owner

    def owner(self, name: bytes) -> object:
        return self._owner


@pytest.mark.parametrize("owner", [None, SimpleNamespace(rrsets={})])
def test_a_generation_whose_zone_has_no_apex_is_not_served(owner: object) -> None:
    generation = SimpleNamespace(zones={b"\4test\0": ZoneWithout(owner)})
    with pytest.raises(ConfigError, match="no apex"):
        check_generation(generation)  # type: ignore[arg-type]


def test_a_generation_that_answers_for_its_zones_is_served(lab: Lab) -> None:
    check_generation(lab.generation)


def test_the_names_kept_with_their_owners_are_bounded(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "FOUND_MAX", 2)
    responder = Responder(lab.generation, lab.status)
    for name in ("www", "mail", "@", "www", "mail"):
        asked = "example.test" if name == "@" else f"{name}.example.test"
        assert responder.respond(question(asked).to_wire(), "1.2.3.4")
        assert len(responder.lookup._found) <= 2
