"""The compile process: it keeps the parsed world and compiles one order after the other."""

from __future__ import annotations

import os
import signal
from functools import cache, partial
from pathlib import Path

from geodns.geo.asn import load_asns
from geodns.geo.world import load_world
from geodns.snapshot.compile import Compiler, no_asns
from geodns.snapshot.manifest import Manifest
from geodns.snapshot.order import Order

GEO_CACHE = "geo"
NICENESS = 5
"""Answers and probes come first when there are fewer cores than work."""

_place: tuple[Path, Path, Path | None] | None = None
_compiler: Compiler | None = None


def start_compiler(data_dir: Path, geo_db: Path, asn_db: Path | None = None) -> None:
    """Say what this process compiles with; databases are read when an order needs them."""
    global _place
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides when to end
    os.nice(NICENESS)
    _place = (data_dir, geo_db, asn_db)


def compile_order(order: Order, before: Manifest | None) -> Manifest:
    """Compile one generation. Errors: as `Compiler.compile` and `load_world`."""
    global _compiler
    if _compiler is None:
        assert _place is not None
        data_dir, geo_db, asn_db = _place
        kept = data_dir / GEO_CACHE
        kept.mkdir(exist_ok=True)
        asns = cache(partial(load_asns, asn_db, kept)) if asn_db else no_asns
        _compiler = Compiler(data_dir, load_world(geo_db, kept), asns=asns)
    return _compiler.compile(order, before)
