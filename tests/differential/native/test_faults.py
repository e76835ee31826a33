"""Sections that are spoilt although their hash is right: what the reference engine refuses, the
native engine refuses, and what it takes, it answers from without an end.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from soak.world import FUZZ, make_lab
from support.lab import Lab

from geodns.engine.generation import Generation
from geodns.errors import ConfigError
from geodns.snapshot.keep import OPTIONAL_KINDS
from geodns.snapshot.manifest import Entry
from geodns.snapshot.section import Kind, Section, encode

native = pytest.importorskip("geodns._native", reason="no native engine was built")

FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}
FORMS = {"indirect": 0, "direct": 64 * 2**20}


@dataclass(frozen=True)
class Spoilt:
    """One section with one fault, and what the fault is."""

    fault: str
    entry: Entry
    octets: bytes


@pytest.fixture(params=FORMS, scope="module")
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return make_lab(tmp_path_factory.mktemp("faults"), FORMS[request.param])


@pytest.fixture(scope="module")
def packets() -> list[bytes]:
    lines = (FUZZ / "seeds" / "answer.txt").read_text().split()
    return [bytes.fromhex(line)[1:] for line in lines[::6]]


def test_what_the_reference_engine_refuses_the_native_engine_refuses(
    lab: Lab, packets: list[bytes]
) -> None:
    refused = taken = 0
    lax = []
    for spoilt in _faults(lab):
        engine = _native(lab, spoilt)
        if engine is None:
            refused += 1
            continue
        taken += 1
        if not _reference_takes(lab, spoilt):
            lax.append(spoilt.fault)
        for packet in packets:
            reply = engine.respond(packet, "8.8.8.8")
            assert reply is None or len(reply) >= 12, spoilt.fault
    assert not lax, "\n".join(lax)
    assert min(refused, taken) > 50


@pytest.mark.parametrize("seed", range(4))
def test_octets_changed_anywhere_are_an_error_or_an_answer(
    lab: Lab, packets: list[bytes], seed: int
) -> None:
    assert lab.manifest is not None
    rng = random.Random(seed)
    entries = [entry for entry in lab.manifest.sections if entry.kind not in OPTIONAL_KINDS]
    taken = 0
    for _ in range(60):
        entry = rng.choice(entries)
        octets = bytearray(lab.fetch(entry))
        for _ in range(rng.choice((1, 1, 8, 200))):
            octets[rng.randrange(len(octets))] = rng.choice((0, 255, rng.randrange(256)))
        engine = _native(lab, Spoilt("octets", entry, bytes(octets)))
        if engine is not None:
            taken += 1
            for packet in packets:
                engine.respond(packet, "2a00:1450::1")
    assert taken


def test_a_section_cut_anywhere_is_refused_by_both(lab: Lab) -> None:
    assert lab.manifest is not None
    for entry in lab.manifest.sections:
        if entry.kind in OPTIONAL_KINDS:
            continue
        whole = lab.fetch(entry)
        for size in {0, 1, 31, 32, 100, len(whole) // 2, len(whole) - 64, len(whole) - 1}:
            spoilt = Spoilt(f"{entry.name} cut to {size}", entry, whole[:size])
            assert _native(lab, spoilt) is None, spoilt.fault
            assert not _reference_takes(lab, spoilt), spoilt.fault


def _faults(lab: Lab) -> Iterator[Spoilt]:
    """Each column of each section: cut, absent, of another width, with items out of range."""
    assert lab.manifest is not None
    for entry in lab.manifest.sections:
        if entry.kind in OPTIONAL_KINDS:
            continue
        columns = {
            name: array(FORMATS[column.itemsize], column)
            for name, column in Section(lab.fetch(entry))._columns.items()
        }
        for name, column in columns.items():
            for fault, changed in _spoil(column):
                others = {key: items for key, items in columns.items() if key != name}
                made = others if changed is None else {**others, name: changed}
                told = f"{entry.name}: {name} {fault}"
                yield Spoilt(told, entry, encode(Kind(entry.kind), made))


def _spoil(column: array[int]) -> Iterator[tuple[str, array[int] | None]]:
    yield "is absent", None
    yield "has another width", array("H" if column.itemsize != 2 else "I", range(len(column) % 99))
    if not column:
        return
    yield "is empty", column[:0]
    yield "is cut", column[:-1]
    yield "is halved", column[: len(column) // 2]
    most = 256**column.itemsize - 1
    for at in sorted({0, len(column) // 2, len(column) - 1}):
        for value in (most, most // 2, column[at] + 1 & most, len(column)):
            changed = column[:]
            changed[at] = value & most
            yield f"[{at}] is {value & most}", changed
    yield "is all most", array(column.typecode, [most]) * len(column)


def _native(lab: Lab, spoilt: Spoilt) -> Any:
    """The engine with a spoilt section; None when it refuses."""
    assert lab.manifest is not None
    sections = [
        (entry.kind, entry.name, _octets(lab, entry, spoilt)) for entry in lab.manifest.sections
    ]
    try:
        return native.Engine(sections, lab.status.table)
    except ValueError:
        return None


def _reference_takes(lab: Lab, spoilt: Spoilt) -> bool:
    assert lab.manifest is not None
    try:
        Generation(lab.manifest, lambda entry: _octets(lab, entry, spoilt))
    except ConfigError:
        return False
    return True


def _octets(lab: Lab, entry: Entry, spoilt: Spoilt) -> bytes:
    return spoilt.octets if entry is spoilt.entry else lab.fetch(entry)
