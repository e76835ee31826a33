"""A zone whose name is as long as a name can be is published and answered as any other."""

from __future__ import annotations

import os
from pathlib import Path

import dns.rcode
import pytest
from support.build import config, zone
from support.lab import Lab

from geodns.daemon.sections import HeldSections
from geodns.geo.world import World

LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
"""255 octets on the wire (RFC 1035 section 2.3.4)."""
LONGEST_WRITTEN = ".".join([r"\001" * 63, r"\002" * 63, r"\003" * 63, r"\004" * 61])
"""As many octets, four times as long in text."""


@pytest.mark.parametrize("name", [LONGEST, LONGEST_WRITTEN])
def test_the_longest_zone_name_is_held_and_answered(
    tmp_path: Path, tiny_world: World, name: str
) -> None:
    fields = zone(nameservers=["ns.elsewhere.example."], contact="dns@elsewhere.example")
    made = config({name: fields}, {}, {})
    lab = Lab(tmp_path, tiny_world, made)
    assert lab.manifest is not None
    for _, descriptor in HeldSections(tmp_path).admit(lab.manifest):
        os.close(descriptor)
    reply = lab.ask(name, "SOA")
    assert (reply.rcode(), len(reply.answer)) == (dns.rcode.NOERROR, 1)
