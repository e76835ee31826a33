"""Sections with a right hash and wrong content: refused or served, but nothing ends by them."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
from support.build import PARIS, ROME, config, node, zone
from support.lab import Lab, question

from geodns.daemon.sections import ENGINE_KINDS, HeldSections
from geodns.engine.generation import Generation
from geodns.engine.responder import Responder
from geodns.errors import ConfigError
from geodns.geo.world import World
from geodns.snapshot.manifest import SNAPSHOT_DIR
from geodns.snapshot.section import content_hash

TRIES = 150


@pytest.mark.parametrize("seed", range(4))
def test_nonsense_with_a_right_hash_is_refused_or_answers_without_raising(
    tmp_path: Path, tiny_world: World, seed: int
) -> None:
    nodes = {"rom": node(ROME, "192.0.2.1"), "par": node(PARIS, "192.0.2.2", "2001:db8::2")}
    made = config(
        {"example.test": zone({"www": "web"}, {"static": {"TXT": ["here"]}})},
        nodes,
        {"web": {"nodes": ["rom", "par"]}},
    )
    lab = Lab(tmp_path, tiny_world, made)
    assert lab.manifest is not None
    entries = [entry for entry in lab.manifest.sections if entry.kind in ENGINE_KINDS]
    draw = random.Random(seed)
    refused = 0
    for _ in range(TRIES):
        victim = draw.choice(entries)
        octets = bytearray(lab.fetch(victim))
        for _ in range(draw.randrange(1, 4)):
            octets[draw.randrange(len(octets))] = draw.randrange(256)
        altered = dataclasses.replace(victim, hash=content_hash(octets), size=len(octets))
        (tmp_path / SNAPSHOT_DIR / altered.hash).write_bytes(octets)
        sections = tuple(altered if one is victim else one for one in lab.manifest.sections)
        manifest = dataclasses.replace(lab.manifest, sections=sections)
        held = HeldSections(tmp_path)
        try:
            held.admit(manifest)
        except ConfigError:
            refused += 1
            continue
        generation = Generation(manifest, lambda entry, held=held: held.maps[entry.hash])  # type: ignore[misc]
        responder = Responder(generation, lab.status)
        for name in ("www.example.test", "static.example.test", "no.example.test"):
            packet = question(name, "A", "1.2.3.0/24").to_wire()
            assert responder.respond(packet, "1.2.3.4") is not None
    assert 0 < refused < TRIES
