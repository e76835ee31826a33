"""The native engine answers as the reference engine does, octet by octet."""

from __future__ import annotations

import mmap
import random
from pathlib import Path
from typing import Any

import pytest
from support.build import ROME, config, node, zone
from support.lab import Lab, question

from geodns.engine.native import reads_snapshots
from geodns.geo.world import World
from geodns.snapshot.section import Kind
from geodns.snapshot.status import Verdict
from geodns.steering.choose import Why

native = pytest.importorskip("geodns._native", reason="no native engine was built")
if not reads_snapshots():
    pytest.skip("snapshots of version 2 await their port to Rust", allow_module_level=True)

PLAYS, PACKETS = 10, 12_000
ALL_KINDS = {"dropped", "deferred", "truncated", "large"} | {
    f"rcode {rcode}" for rcode in (0, 1, 3, 4, 5, 6, 9)
}
ALL_KINDS |= {f"answers: {why.name.lower()}" for why in Why}


@pytest.mark.timeout(600)  # 12 s on a machine of one's own
def test_both_engines_give_the_same_octets(tmp_path: Path, world: World) -> None:
    from differential.native.compare import GENERATIONS, Outcome, play

    outcome = Outcome()
    for seed in range(1, PLAYS + 1):
        (tmp_path / str(seed)).mkdir()
        play(tmp_path / str(seed), world, seed, PACKETS, outcome)
    assert not outcome.differences, "\n".join(outcome.differences)
    assert outcome.asked > PLAYS * PACKETS  # some twice, with the cookie they were given
    assert outcome.generations == PLAYS * GENERATIONS
    assert outcome.slots_reused
    assert outcome.kinds.keys() == ALL_KINDS


def test_a_difference_would_be_seen(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from differential.native import compare

    other = native.Around(nsid=b"other")
    monkeypatch.setattr(compare, "_native_around", lambda _: other)
    outcome = compare.Outcome()
    compare.play(tmp_path, world, 1, 2000, outcome)
    assert outcome.differences


@pytest.fixture
def lab(tmp_path: Path, tiny_world: World) -> Lab:
    nodes = {"rome": node(ROME, "198.18.0.1"), "second": node(ROME, "198.18.0.2")}
    pools = {"web": {"nodes": list(nodes), "order": "listed", "spread": "first"}}
    return Lab(tmp_path, tiny_world, config({"example.test": zone({"www": "web"})}, nodes, pools))


def sections(lab: Lab) -> list[tuple[int, str, Any]]:
    assert lab.manifest is not None
    return [(entry.kind, entry.name, lab.fetch(entry)) for entry in lab.manifest.sections]


def test_a_status_word_counts_from_the_moment_it_is_written(lab: Lab) -> None:
    engine = native.Engine(sections(lab), lab.status.table)
    packet = question("www.example.test").to_wire()
    assert bytes((198, 18, 0, 1)) in engine.respond(packet, "8.8.8.8")
    lab.set("198.18.0.1", Verdict.DOWN)
    assert bytes((198, 18, 0, 2)) in engine.respond(packet, "8.8.8.8")


def test_sections_may_be_mapped(lab: Lab, tmp_path: Path) -> None:
    mapped = []
    for kind, name, octets in sections(lab):
        path = tmp_path / f"{kind}-{name}"
        path.write_bytes(octets)
        with path.open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        mapped.append((kind, name, memory))
    engine = native.Engine(mapped, lab.status.table)
    del mapped, memory
    assert engine.respond(question("www.example.test").to_wire(), "8.8.8.8")


def test_memory_that_may_change_is_refused(lab: Lab) -> None:
    changeable = [(kind, name, bytearray(octets)) for kind, name, octets in sections(lab)]
    with pytest.raises(ValueError, match="read-only"):
        native.Engine(changeable, lab.status.table)


@pytest.mark.parametrize("kind", [Kind.GEO, Kind.VIEW, Kind.POOLS])
def test_a_generation_that_lacks_a_section_is_refused(lab: Lab, kind: Kind) -> None:
    held = [part for part in sections(lab) if part[0] != kind]
    with pytest.raises(ValueError, match=r"has no section|that there is not"):
        native.Engine(held, lab.status.table)


def test_a_spoilt_section_is_an_error_or_an_answer_but_never_the_end(lab: Lab) -> None:
    rng = random.Random(7)
    packets = [question(name).to_wire() for name in ("www.example.test", "no.example.test")]
    refused = 0
    for _ in range(300):
        held = sections(lab)
        at = rng.randrange(len(held))
        kind, name, octets = held[at]
        spoilt = bytearray(octets)
        for _ in range(rng.choice((1, 4, 40))):
            spoilt[rng.randrange(min(len(spoilt), 4096))] = rng.randrange(256)
        held[at] = (kind, name, bytes(spoilt))
        try:
            engine = native.Engine(held, lab.status.table)
        except ValueError:
            refused += 1
            continue
        for packet in packets:
            reply = engine.respond(packet, "8.8.8.8")
            assert reply is None or len(reply) >= 12
    assert 0 < refused < 300
