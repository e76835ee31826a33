"""The native engine alone in a process: ``python -m tests.bench.native_child DATA-DIR PORT``.

Serves the generation of a data directory and says so with a line. Each line on stdin, ``FLIPS
SWAPS``, tells how many status words to flip and generations to swap a second from then on.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from itertools import cycle
from pathlib import Path

from geodns._native import Around
from geodns.daemon.sections import HeldSections
from geodns.engine.generation import needed
from geodns.engine.native import NativeServer
from geodns.engine.page import WorkerPage
from geodns.engine.sockets import bind
from geodns.engine.tally import Tally
from geodns.snapshot.manifest import read_manifest
from geodns.snapshot.section import Kind, Section
from geodns.snapshot.status import StatusTable, Verdict, Word, create_table

SLOTS = 16_384
TICK_S = 0.01


class Changer:
    """Flips words and swaps generations, evenly over each second, in a thread of its own."""

    def __init__(
        self, server: NativeServer, status: StatusTable, data_dir: Path, tally: Tally
    ) -> None:
        manifest, _ = read_manifest(data_dir)
        assert manifest is not None
        held = HeldSections(data_dir)
        for _, descriptor in held.admit(manifest):
            os.close(descriptor)
        memory = {entry: memoryview(held.maps[entry.hash]) for entry in needed(manifest)}
        self._sections = [(entry.kind, entry.name, part) for entry, part in memory.items()]
        [pools] = [Section(part) for entry, part in memory.items() if entry.kind == Kind.POOLS]
        targets = zip(pools.column("v4_slot"), pools.column("v4_tag"), strict=True)
        self._targets = cycle(list(targets))
        tally.own(pools)
        zones = [Section(part) for entry, part in memory.items() if entry.kind == Kind.ZONE]
        self._rows = tally.rows(zone.octets("apex") for zone in zones)
        self._server, self._status = server, status
        self.flips, self.swaps = 0.0, 0.0
        self.load()

    def load(self) -> None:
        """Serve the generation, anew if it is served already."""
        self._server.load(self._sections, self._rows)

    def run(self) -> None:
        """Change for ever."""
        flips, swaps = 0.0, 0.0
        while True:
            time.sleep(TICK_S)
            flips, swaps = flips % 1 + self.flips * TICK_S, swaps % 1 + self.swaps * TICK_S
            for _ in range(int(flips)):
                slot, tag = next(self._targets)
                is_down = self._status.word(slot, tag).verdict == Verdict.DOWN
                self._status.write(slot, Word(tag, Verdict.UP if is_down else Verdict.DOWN))
            if int(swaps):
                self.load()


def main(data_dir: str, port: int) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as runtime:
        create_table(Path(runtime) / "status", SLOTS)
        status = StatusTable(Path(runtime) / "status", writable=True)
        page = WorkerPage(Path(runtime) / "page", create=True)
        listeners = bind("127.0.0.1", port, 1)
        tally = Tally(Path(runtime) / "counts", SLOTS)
        server = NativeServer(listeners, status, page, Around(), tally)
        changer = Changer(server, status, Path(data_dir), tally)
        server.start()
        threading.Thread(target=changer.run, daemon=True).start()
        sys.stdout.write("serving\n")
        sys.stdout.flush()
        for line in sys.stdin:
            changer.flips, changer.swaps = map(float, line.split())
        server.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
