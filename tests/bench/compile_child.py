"""A compile process alone: prints when the first generation was written, then later durations."""

from __future__ import annotations

import copy
import json
import sys
import time
from pathlib import Path

from geodns.document.load import from_document
from geodns.snapshot.compiler import compile_order, start_compiler
from geodns.snapshot.order import Order
from tests.bench.fleet import random_fleet

MOVES = 3


def main(database: str, data_dir: str, nodes: str) -> None:
    start_compiler(Path(data_dir), Path(database))
    fleet = random_fleet()
    left = fleet["pools"]["web"]["nodes"] = fleet["pools"]["web"]["nodes"][: int(nodes)]
    fleet["nodes"] = {node_id: fleet["nodes"][node_id] for node_id in left}
    made = compile_order(Order(from_document(fleet), 1), None)
    times = [time.monotonic()]
    for move in range(MOVES):
        moved = copy.deepcopy(fleet)
        for node in moved["nodes"].values():
            node["location"]["lon"] = (node["location"]["lon"] + 361 + move) % 360 - 180
        order = Order(from_document(moved), made.generation + 1)
        started_s = time.monotonic()
        made = compile_order(order, made)
        times.append(time.monotonic() - started_s)
    sys.stdout.write(json.dumps(times))


if __name__ == "__main__":
    main(*sys.argv[1:])
