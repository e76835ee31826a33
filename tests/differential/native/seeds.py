"""``python -m tests.differential.native.seeds``: what the fuzz targets start from.

Writes a small compiled generation to ``geodns/native/fuzz/world`` and random packets to
``geodns/native/fuzz/corpus/packet``; git ignores both.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))  # as tests/conftest.py does

from support.build import PARIS, ROME, TOKYO, config, node, zone  # noqa: E402
from support.lab import Lab  # noqa: E402

from differential.native.fleets import Fleet  # noqa: E402
from differential.native.packets import packets  # noqa: E402
from geodns.geo.world import World, load_world  # noqa: E402
from geodns.snapshot.section import Kind  # noqa: E402

FUZZ = HERE.parents[2] / "geodns" / "native" / "fuzz"
PACKETS = 500

NODES = {
    "rome": node(ROME, "198.18.0.1", "2001:db8::1"),
    "paris": node(PARIS, "198.18.0.2", "198.18.0.3"),
    "tokyo": node(TOKYO, "198.18.0.4", "2001:db8::4", weight=7),
}
ZONE = zone(
    {"www": "web", "*.wild": "web"},
    {
        "alias": {"CNAME": ["www"]},
        "loop": {"CNAME": ["pool"]},
        "pool": {"CNAME": ["loop"]},
        "www": {"HTTPS": ["1 . alpn=h2 ipv4hint=auto ipv6hint=auto"]},
        "cut": {"NS": ["ns.cut"]},
        "ns.cut": {"A": ["192.0.2.53"]},
        "moved": {"DNAME": ["wild"]},
        "big": {"TXT": [f"{'x' * 250}{number}" for number in range(9)]},
    },
)
NAMES = ("www", "alias", "loop", "a.cut", "x.moved", "big", "y.wild", "none", "a.none")


def main() -> int:
    """Write both."""
    pools = {"web": {"nodes": list(NODES), "answers": 2, "min_answers": 2}}
    with tempfile.TemporaryDirectory() as directory:
        made = config({"example.test": ZONE}, NODES, pools)
        lab = Lab(Path(directory), _small_world(Path(directory)), made)
        assert lab.manifest is not None
        _write_world(lab)
    corpus = FUZZ / "corpus" / "packet"
    corpus.mkdir(parents=True, exist_ok=True)
    fleet = Fleet({}, [], [f"{name}.example.test." for name in NAMES])
    for number, (packet, _, _) in enumerate(packets(fleet, 1, PACKETS)):
        (corpus / f"{number:04}").write_bytes(packet)
    return 0


def _small_world(directory: Path) -> World:
    """A few networks: loading copies every octet, millions of times."""
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet

    writer = MMDBWriter(6, "Test-City", languages=["en"], ipv4_compatible=True)
    places = {"1.0.0.0/8": ROME, "2.0.0.0/9": PARIS, "8.8.8.0/24": TOKYO, "2a00::/16": PARIS}
    for network, (latitude, longitude) in places.items():
        location = {"latitude": latitude, "longitude": longitude}
        record = {"country": {"iso_code": "ZZ"}, "location": location}
        writer.insert_network(IPSet([network]), record)
    path = directory / "small.mmdb"
    writer.to_db_file(str(path))
    return load_world(path, None)


def _write_world(lab: Lab) -> None:
    world = FUZZ / "world"
    world.mkdir(exist_ok=True)
    assert lab.manifest is not None
    for entry in lab.manifest.sections:
        kind = Kind(entry.kind).name.lower()
        (world / kind).write_bytes(lab.fetch(entry))
        if entry.kind == Kind.VIEW:
            (world / "view.name").write_text(entry.name)


if __name__ == "__main__":
    sys.exit(main())
