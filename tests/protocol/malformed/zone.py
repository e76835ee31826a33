"""The zone that every server serves while it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ORIGIN = "example.test"
BIG = [f'"{number:03d} {"x" * 60}"' for number in range(10)]
"""Some 800 octets: too long for plain UDP, short enough for 1232."""
HUGE = [f'"{number:03d} {"x" * 60}"' for number in range(40)]
"""Some 3 kB: too long for any UDP reply."""

RRSETS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "mail": {"A": ["192.0.2.25", "192.0.2.26"], "AAAA": ["2001:db8::25"]},
    "alias": {"CNAME": ["mail"]},
    "*.wild": {"TXT": ['"wild"']},
    "big": {"TXT": BIG},
    "huge": {"TXT": HUGE},
}


def master_file() -> str:
    """The zone as the other servers read it."""
    lines = [
        f"$ORIGIN {ORIGIN}.",
        "$TTL 300",
        "@ SOA ns1 hostmaster 1 3600 600 86400 30",
        "@ NS ns1",
        "ns1 A 192.0.2.53",
    ]
    for owner, rrsets in RRSETS.items():
        lines += [f"{owner} {rtype} {v}" for rtype, values in rrsets.items() for v in values]
    return "\n".join(lines) + "\n"


def document() -> dict[str, object]:
    """The same as a document of geodns, and one steered name."""
    zone = {
        "nameservers": [{"name": f"ns1.{ORIGIN}.", "addresses": ["192.0.2.53"]}],
        "rrsets": RRSETS,
        "steers": {"near": {"pool": "all"}},
    }
    nodes = {
        "rome": {"addresses": ["198.18.0.1"], "location": {"lat": 41.9, "lon": 12.5}},
        "york": {"addresses": ["198.18.0.2"], "location": {"lat": 40.7, "lon": -74.0}},
    }
    return {"zones": {ORIGIN: zone}, "nodes": nodes, "pools": {"all": {"nodes": list(nodes)}}}


def on_steered_name(packet: bytes) -> bytes:
    """The same packet about the steered name, which is as long as ``mail``."""
    return packet.replace(b"\4mail", b"\4near")
