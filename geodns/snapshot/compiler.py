"""The compile process: it keeps the parsed world and compiles one order after the other."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from geodns.geo.world import load_world
from geodns.snapshot.compile import Compiler
from geodns.snapshot.manifest import Manifest
from geodns.snapshot.order import Order

GEO_CACHE = "geo"
NICENESS = 5
"""Answers and probes come first when there are fewer cores than work."""

_place: tuple[Path, Path] | None = None
_compiler: Compiler | None = None


def start_compiler(data_dir: Path, geo_db: Path) -> None:
    """Say what this process compiles with; the database is read at the first order."""
    global _place
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides when to end
    os.nice(NICENESS)
    _place = (data_dir, geo_db)


def compile_order(order: Order, before: Manifest | None) -> Manifest:
    """Compile one generation. Errors: as `Compiler.compile` and `load_world`."""
    global _compiler
    if _compiler is None:
        assert _place is not None
        data_dir, geo_db = _place
        cache = data_dir / GEO_CACHE
        cache.mkdir(exist_ok=True)
        _compiler = Compiler(data_dir, load_world(geo_db, cache))
    return _compiler.compile(order, before)
