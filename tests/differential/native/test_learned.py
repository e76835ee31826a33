"""What fuzzing learned, asked of both engines; what the tests in Rust ask, held to what is made."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv6Address
from pathlib import Path

import pytest
from soak.world import FIXTURE, FUZZ, STATES, fixture, make_lab, set_state

from geodns.engine.cookies import CookieJar
from geodns.engine.responder import Responder, Surroundings

native = pytest.importorskip("geodns._native", reason="no native engine was built")

NOW_S = 1_800_000_000
SECRETS = (b"\7" * 16, b"\x08" * 16)
NAME = b"\5first\7example\4test\0"

Asked = tuple[bytes, str, int]
"""A packet, the resolver, and the octet that the targets draw circumstances from."""


def test_the_world_of_the_tests_in_rust_is_what_the_compiler_makes() -> None:
    assert FIXTURE.read_text() == fixture(), "python -m tests.soak fixture"


@pytest.mark.parametrize("view_budget", [0, 64 * 2**20], ids=["indirect", "direct"])
def test_both_engines_answer_alike_what_fuzzing_learned(tmp_path: Path, view_budget: int) -> None:
    lab = make_lab(tmp_path, view_budget)
    assert lab.manifest is not None
    sections = [(entry.kind, entry.name, lab.fetch(entry)) for entry in lab.manifest.sections]
    around = Surroundings(nsid=b"fuzz", jar=CookieJar(SECRETS, lambda: NOW_S))
    reference = Responder(lab.generation, lab.status, around)
    engine = native.Engine(
        sections, lab.status.table, native.Around(nsid=b"fuzz", cookie_secrets=list(SECRETS))
    )
    asked = [*_packets(), *_subnets()]
    assert len(asked) > 500
    for state in range(STATES):
        set_state(lab, state)
        for packet, resolver, how in asked:
            tcp = bool(how & 1)
            ours = reference.respond(packet, resolver, tcp=tcp)
            theirs = engine.respond(packet, resolver, tcp=tcp, now_s=NOW_S)
            assert ours == theirs, (state, resolver, tcp, packet.hex())


def _lines(target: str) -> list[bytes]:
    text = (FUZZ / "seeds" / f"{target}.txt").read_text()
    return [bytes.fromhex(line) for line in text.split()]


def _packets() -> Iterator[Asked]:
    resolvers = ("8.8.8.8", "127.0.0.1", "2001:db8::", "2a00:1450:4000:800::")
    for octets in _lines("parse"):
        yield octets, resolvers[0], 0
    for octets in _lines("answer"):
        yield octets[1:], resolvers[octets[0] >> 1 & 3], octets[0]


def _subnets() -> Iterator[Asked]:
    for octets in _lines("subnet"):
        how, option = octets[0], octets[18:]
        if len(octets) < 18:
            continue
        question = struct.pack("!HH", 28 if octets[1] & 1 else 1, 1)
        head = struct.pack("!6H", 0x1234, 0x0100, 1, 0, 0, 1)
        opt = struct.pack("!BHHIHHH", 0, 41, 1232, 0, len(option) + 4, 8, len(option))
        packet = head + NAME + question + opt + option
        yield packet, str(IPv6Address(octets[2:18])), how
