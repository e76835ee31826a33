"""Row great: one pool of 10,000 nodes in order `equal`, a tier that every answer is drawn from.

Beside it the 100 nodes of the other rows: what a query costs must not grow with the pool.
"""

from __future__ import annotations

from contextlib import ExitStack

from tests.bench.blast import STEERED, blast, pinned
from tests.bench.figures import Figure
from tests.bench.workshop import DEFAULT, GREAT, Workshop

ROUNDS = 5
WINDOW_S = 0.8
PROMISED = 1.1
"""Times the cost with 100 nodes. Source: what windows differ by."""


def run(workshop: Workshop) -> list[Figure]:
    """Cost by engine and size, and what the size costs the native engine."""
    figures = []
    for engine in ("native", "python"):
        costs = _costs(workshop, engine)
        if engine == "native":
            pairs = zip(costs[GREAT], costs[DEFAULT], strict=True)
            ratios = [great / small for great, small in pairs]
            what = f"{engine}, 10,000 nodes ÷ 100 nodes"
            figures.append(Figure("great", what, "×", ratios, PROMISED))
        for size, values in costs.items():
            figures.append(Figure("great", f"{engine}, {size}", "µs", values))
    return figures


def _costs(workshop: Workshop, engine: str) -> dict[str, list[float]]:
    costs: dict[str, list[float]] = {DEFAULT: [], GREAT: []}
    with ExitStack() as stack:
        servers = {size: stack.enter_context(pinned(workshop, size, engine)) for size in costs}
        for _ in range(ROUNDS):
            for size, server in servers.items():
                window = blast(workshop, server, STEERED, WINDOW_S)
                costs[size].append(window["us_per_query"])
    return costs
