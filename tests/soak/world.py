"""The small generation that the fuzz targets ask, written to ``geodns/native/fuzz/world``.

Git ignores it: it is made anew before each run, as the format is by then. What the tests of
``geodns/native/core`` ask is kept, for they run without Python; ``python -m tests.soak fixture``
writes it anew.
"""

from __future__ import annotations

import struct
import tempfile
from itertools import cycle
from pathlib import Path

from support.build import PARIS, ROME, TOKYO, config, node, zone
from support.lab import Lab

from geodns.geo.world import World, load_world
from geodns.snapshot.keep import OPTIONAL_KINDS
from geodns.snapshot.manifest import Entry
from geodns.snapshot.section import Kind
from geodns.snapshot.status import Override, Verdict

FUZZ = Path(__file__).resolve().parents[2] / "geodns" / "native" / "fuzz"
FIXTURE = FUZZ.parent / "core" / "tests" / "world" / "world.txt"
STATES = 8
"""States of health; the targets know the number."""

SHED = {"lo": 1, "hi": 2}
NODES = {
    "rome": node(ROME, "198.18.0.1", "2001:db8::1", shed=SHED),
    "paris": node(PARIS, "198.18.0.2", "198.18.0.3", shed=SHED),
    "tokyo": node(TOKYO, "198.18.0.4", "2001:db8::4", weight=7),
    "second": node(ROME, "198.18.0.5", "2001:db8::5", weight=0),
    "far": {"cname": "edge.cdn.invalid.", "location": node(TOKYO)["location"]},
    "near": {"cname": "near.example.test.", "location": node(PARIS)["location"]},
}
PLACED = ["rome", "paris", "tokyo", "second"]
CHOOSY = {
    f"far{number}": node(
        (5 * number - 20, 9 * number),
        f"198.18.1.{number}",
        refuses={"subnets": ["2.0.0.0/10"]} if number % 3 == 0 else None,
        shed=SHED if number % 2 else None,
    )
    for number in range(12)
}
"""More than a row has room for, and not all of them for everybody."""

POOLS = {
    "web": {"nodes": PLACED, "answers": 2, "min_answers": 2, "fallback": "spare"},
    "spare": {"nodes": ["tokyo"], "spread": "first", "all_down": "closed"},
    "first": {"nodes": PLACED, "spread": "first", "families": "each"},
    "cdn": {"nodes": ["far", "near"]},
    "wide": {"nodes": list(CHOOSY), "spread": "sticky", "band_km": 0, "all_down": "closed"},
    "loyal": {
        "nodes": [*PLACED, *CHOOSY],
        "band_km": 9000,
        "spread": "sticky",
        "sticky_bits": {"v4": 22, "v6": 50},
        "answers": 3,
        "min_answers": 2,
    },
}
RULES = [
    {"subnets": ["1.2.0.0/17", "2a00:1450:8000::/34"], "pool": "loyal", "fence": True},
    {"subnets": ["9.0.0.0/9", "2.0.0.0/12"], "split": {"wide": 50, "spare": 20, "first": 0}},
    {"geos": ["unknown"], "split": {"wide": 1, "loyal": 1}},
]
ZONE = zone(
    {
        "www": "web",
        "*.wild": "web",
        "first": "first",
        "cdn": "cdn",
        "quiet": {"pool": "spare"},
        "ruled": {"pool": "wide", "rules": RULES},
        "wide": "wide",
        "loyal": "loyal",
    },
    {
        "alias": {"CNAME": ["www"]},
        "loop": {"CNAME": ["pool"]},
        "pool": {"CNAME": ["loop"]},
        "twice": {"CNAME": ["alias"]},
        "www": {"HTTPS": ["1 . alpn=h2 ipv4hint=auto ipv6hint=auto"]},
        "first": {"SVCB": ["2 backup.invalid. ipv6hint=auto", "3 . ipv4hint=192.0.2.9"]},
        "cut": {"NS": ["ns.cut", "ns.far.invalid."], "DS": ["1 13 2 " + "ab" * 32]},
        "ns.cut": {"A": ["192.0.2.53"], "AAAA": ["2001:db8::53"]},
        "moved": {"DNAME": ["wild"]},
        "around": {"DNAME": ["around.around"]},
        "big": {"TXT": [f"{'x' * 250}{number}" for number in range(9)]},
        "a.deep.down": {"MX": ["10 mail"], "TXT": ["deep"]},
    },
)
PLACES = {
    "1.0.0.0/8": ROME,
    "2.0.0.0/9": PARIS,
    "8.8.8.0/24": TOKYO,
    "2a00::/16": PARIS,
    "2a00:1450::/32": ROME,
}


def write_world() -> None:
    """Write sections and words, and Rust that names the sections."""
    directory = FUZZ / "world"
    directory.mkdir(exist_ok=True)
    for form, budget in (("direct", 64 * 2**20), ("indirect", 0)):
        with tempfile.TemporaryDirectory() as work:
            _write(directory, form, make_lab(Path(work), budget))


def make_lab(directory: Path, view_budget: int) -> Lab:
    """The generation in the hands of a test."""
    made = config({"example.test": ZONE}, {**NODES, **CHOOSY}, POOLS)
    return Lab(directory, _small_world(directory), made, view_budget=view_budget)


def fixture() -> str:
    """The same generation as text, for the tests of `geodns/native/core`: its sections in
    hexadecimal, those with intervals column by column, for their indexes would fill megabytes
    and what is about them is for people, and its states."""
    with tempfile.TemporaryDirectory() as work:
        lab = make_lab(Path(work), 0)
        assert lab.manifest is not None
        lines = []
        for entry in lab.manifest.sections:
            kind, name = Kind(entry.kind), entry.name
            if kind in (Kind.ZONE, Kind.POOLS):
                lines.append(f"section {int(kind)} {name} {lab.fetch(entry).hex()}")
            elif kind in (Kind.GEO, Kind.VIEW):
                for column, items in lab.section(kind, name)._columns.items():
                    if column != "about" and not column.rstrip("46").endswith("index"):
                        told = f"{items.itemsize} {bytes(items).hex()}"
                        lines.append(f"column {int(kind)} {name} {column} {told}")
        lines += [f"state {words.hex()}" for words in _states(lab)]
    return "\n".join([*lines, ""])


def _write(directory: Path, form: str, lab: Lab) -> None:
    assert lab.manifest is not None
    entries = [entry for entry in lab.manifest.sections if entry.kind not in OPTIONAL_KINDS]
    for number, entry in enumerate(entries):
        (directory / f"{form}-{number}").write_bytes(lab.fetch(entry))
    lines = "\n".join(_named(form, number, entry) for number, entry in enumerate(entries))
    (directory / f"{form}.rs").write_text(f"vec![\n{lines}\n]\n")
    (directory / "words").write_bytes(b"".join(_states(lab)))


def _named(form: str, number: int, entry: Entry) -> str:
    return f'section!({int(entry.kind)}, "{entry.name}", "{form}-{number}"),'


def _states(lab: Lab) -> list[bytes]:
    """The words in several states: all unknown, all down, and whatever is between."""
    size = 1 + max(slot for slot, _ in lab.slot_of.values())
    states = []
    for state in range(STATES):
        set_state(lab, state)
        states.append(struct.pack(f"<{size}Q", *lab.status.words[:size]))
    return states


def set_state(lab: Lab, state: int) -> None:
    """Put all targets into one of the states of health."""
    turns = cycle(_mixed(state))
    for address, monitor in lab.slot_of:
        verdict, override, factor, shed = next(turns)
        lab.set(
            address,
            verdict,
            override=override,
            unsettled=state == STATES - 1,
            weight_factor=factor,
            monitor=monitor,
            shed=shed,
        )


def _mixed(state: int) -> list[tuple[Verdict, Override, int, int]]:
    well, ill = (Verdict.UP, Override.NONE, 255, 0), (Verdict.DOWN, Override.NONE, 255, 0)
    forced, barred = (Verdict.DOWN, Override.UP, 0, 9000), (Verdict.UP, Override.DOWN, 255, 0)
    full, half = (*well[:3], 65_535), (*well[:2], 9, 32_768)
    states = [[(Verdict.UNKNOWN, Override.NONE, 255, 0)], [ill], [well, ill, half]]
    states += [[ill, ill, well], [forced, well, full], [barred], [barred, ill, ill]]
    return [*states, [half, full, half]][state]


def _small_world(directory: Path) -> World:
    """A few networks: loading reads every octet, millions of times."""
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet

    writer = MMDBWriter(6, "Test-City", languages=["en"], ipv4_compatible=True)
    for network, (latitude, longitude) in PLACES.items():
        location = {"latitude": latitude, "longitude": longitude}
        writer.insert_network(
            IPSet([network]), {"country": {"iso_code": "ZZ"}, "location": location}
        )
    path = directory / "small.mmdb"
    writer.to_db_file(str(path))
    return load_world(path, None)
