"""Configurations in few words: the bodies of the API, read as the API reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geodns.document.check import check
from geodns.document.load import from_document
from geodns.model.config import Config

NAMESERVERS = [{"name": "ns1.example.test.", "addresses": ["192.0.2.53"]}]

ROME, PARIS, BERLIN = (41.9, 12.5), (48.86, 2.35), (52.52, 13.4)
NEW_YORK, TOKYO = (40.71, -74.01), (35.68, 139.69)


def node(at: tuple[float, float], *addresses: str, **fields: object) -> dict[str, Any]:
    """The body of a node."""
    location = {"lat": at[0], "lon": at[1]}
    return {"addresses": list(addresses), "location": location, **fields}


def zone(
    steers: Mapping[str, object] | None = None,
    rrsets: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    **fields: object,
) -> dict[str, Any]:
    """The body of a zone with what is in it; ``steers`` may be bare pool ids."""
    bodies = {
        owner: {"pool": steer} if isinstance(steer, str) else steer
        for owner, steer in (steers or {}).items()
    }
    return {"nameservers": NAMESERVERS, **fields, "steers": bodies, "rrsets": dict(rrsets or {})}


def config(
    zones: Mapping[str, Any] | None = None,
    nodes: Mapping[str, Any] | None = None,
    pools: Mapping[str, Any] | None = None,
    monitors: Mapping[str, Any] | None = None,
) -> Config:
    """A Config from the parts of a document, one that the document's own check passes."""
    made = from_document(
        {
            "geodns": 1,
            "zones": dict(zones or {"example.test": zone()}),
            "nodes": dict(nodes or {}),
            "pools": dict(pools or {}),
            "monitors": dict(monitors or {}),
        }
    )
    faults = check(made)
    assert not faults, [str(fault) for fault in faults]
    return made
