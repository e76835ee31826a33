"""The compile process: it keeps the parsed world and compiles one order after the other.

Run as ``python -m geodns.snapshot.compiler FD`` by `compile_process`. Over that socket come, as
pickles of our own, first the arguments of `start_compiler`, then orders; back goes what became of
each. When the socket is closed, so is this process, whatever it is doing.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path

from geodns.document.collector import making_many
from geodns.errors import GeodnsError, Unavailable
from geodns.geo.asn import load_asns
from geodns.geo.world import load_world
from geodns.settings import logs
from geodns.snapshot.compile import Compiler, no_asns
from geodns.snapshot.manifest import Manifest
from geodns.snapshot.order import Order
from geodns.snapshot.parcels import Parcel, Receiver

GEO_CACHE = "geo"
NICENESS = 5
"""Answers and probes come first when there are fewer cores than work."""

log = logging.getLogger("geodns.snapshot")

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


@making_many
def _next_order(link: Connection, receiver: Receiver) -> tuple[Order, Manifest | None]:
    """What is to be compiled next, its Config unpacked."""
    parcel: Parcel
    parcel, order, before = link.recv()
    return replace(order, config=receiver.unpack(parcel)), before


@making_many
def _outcome(order: Order, before: Manifest | None) -> Manifest | GeodnsError:
    """What becomes of an order. Anything but a GeodnsError is a bug: logged, and told as one."""
    try:
        return compile_order(order, before)
    except GeodnsError as error:
        return error
    except Exception as error:
        log.exception("generation %d cannot be compiled", order.generation)
        return Unavailable(f"Publishing failed: {type(error).__name__}: {error}.")


def _end_with(descriptor: int) -> None:
    """End when nobody is at the other end any more: a compile under way is of no use then."""
    poll = select.poll()
    poll.register(descriptor, 0)  # a hang-up is always told
    poll.poll()
    os._exit(0)


def main(descriptor: int, form: str) -> None:
    """Compile until the link is closed."""
    logs.set_up("compiler", "warning", form)
    threading.Thread(target=_end_with, args=(descriptor,), daemon=True).start()
    link = Connection(descriptor)
    with suppress(EOFError, ConnectionError):
        start_compiler(*link.recv())
        receiver = Receiver()
        while True:
            link.send(_outcome(*_next_order(link, receiver)))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
