"""Metrics of DNS: from the counters of all workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client.core import Metric

from geodns.api.metrics import family, histogram
from geodns.dns.names import to_text
from geodns.engine.counts import (
    DROPS,
    DURATIONS_NS,
    FAMILIES,
    NO_ZONE,
    NODE,
    OTHER_ZONE,
    SIZES,
    TRANSPORTS,
    TYPES,
    Counts,
    Histogram,
    key_of,
)
from geodns.engine.page import RCODES
from geodns.steering.choose import Why

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROTOS = tuple(enumerate(TRANSPORTS))
RCODE_NAMES = tuple(name.upper() if name != "other" else name for name in RCODES)
REASONS = tuple(why.name.lower() for why in Why)

Rows = Sequence[tuple[str, Sequence[tuple[Counts, int]]]]
"""Zones, and where the workers count their queries."""


def query_metrics(workers: Sequence[Counts], apexes: Iterable[bytes]) -> Iterator[Metric]:
    """What queries were about, how large and how quick they were."""
    rows = _rows(workers, apexes)
    yield family("geodns_dns_requests_total", *_requests(rows))
    yield family("geodns_dns_responses_total", *_responses(rows))
    yield family("geodns_dns_dropped_total", *_drops(workers))
    for name, replies in (("request", False), ("response", True)):
        yield histogram(
            f"geodns_dns_{name}_size_bytes",
            *(
                ((proto,), SIZES, *_summed(each.sizes(at, replies=replies) for each in workers))
                for at, proto in PROTOS
            ),
        )
    yield histogram("geodns_dns_request_duration_seconds", *_durations(workers))


def node_metrics(workers: Sequence[Counts], targets: Iterable[Mapping[str, Any]]) -> Metric:
    """Who answered, and why."""
    totals = _answers(workers)
    busy = {slot for slot, count in enumerate(totals.sum(axis=1).tolist()) if count}
    by_node: dict[str, list[int]] = {}
    for target in targets:
        slot, node = target["slot"], target["nodes"][0]
        if slot in busy and _is_its(workers, target):
            counts = totals[slot, : len(REASONS)].tolist()
            by_node[node] = _added([by_node.get(node, [0] * len(REASONS)), counts])
    return family(
        "geodns_node_answers_total",
        *(
            ((node, reason), count)
            for node, counts in sorted(by_node.items())
            for reason, count in zip(REASONS, counts, strict=True)
            if count
        ),
    )


def _answers(workers: Sequence[Counts]) -> NDArray[np.uint64]:
    """Answers of all workers, by slot and reason."""
    import numpy as np  # Here, for a start need not wait for it.

    totals = np.zeros((max((each.slots for each in workers), default=0), NODE), np.uint64)
    for each in workers:
        for at, _ in PROTOS:
            totals[: each.slots] += np.frombuffer(each.nodes(at), np.uint64).reshape(-1, NODE)
    return totals


def _is_its(workers: Sequence[Counts], target: Mapping[str, Any]) -> bool:
    """Whether the counts of a slot are this target's, not those of one before it."""
    return any(each.tags[target["slot"]] == target["tag"] for each in workers)


def _rows(workers: Sequence[Counts], apexes: Iterable[bytes]) -> Rows:
    keys = [(each, each.zone_keys()) for each in workers]
    rows: list[tuple[str, Sequence[tuple[Counts, int]]]] = [
        ("none", [(each, NO_ZONE) for each in workers]),
        ("other", [(each, OTHER_ZONE) for each in workers]),
    ]
    for apex in apexes:
        key = key_of(apex)
        if places := [(each, rows_of[key]) for each, rows_of in keys if key in rows_of]:
            rows.append((to_text(apex), places))
    return rows


def _requests(rows: Rows) -> Iterator[tuple[tuple[str, ...], float]]:
    kinds = [(family, rtype) for family in FAMILIES for rtype in TYPES]
    for zone, places in rows:
        for at, proto in PROTOS:
            counts = _added(each.requests(at, row) for each, row in places)
            for (family_, rtype), count in zip(kinds, counts, strict=False):
                if count:
                    yield (zone, proto, family_, rtype), count


def _responses(rows: Rows) -> Iterator[tuple[tuple[str, ...], float]]:
    for zone, places in rows:
        counts = _added(each.responses(row) for each, row in places)
        for rcode, count in zip(RCODE_NAMES, counts, strict=False):
            if count:
                yield (zone, rcode), count


def _drops(workers: Sequence[Counts]) -> Iterator[tuple[tuple[str, ...], float]]:
    for at, proto in PROTOS:
        counts = _added(each.drops(at) for each in workers) or [0] * len(DROPS)
        for reason, count in zip(DROPS, counts, strict=True):
            yield (proto, reason), count


def _durations(
    workers: Sequence[Counts],
) -> Iterator[tuple[tuple[str, ...], Iterable[float], Iterable[int], float]]:
    bounds = [each / 1e9 for each in DURATIONS_NS]
    for at, proto in PROTOS:
        buckets, total_ns = _summed(each.durations(at) for each in workers)
        yield (proto,), bounds, buckets or [0] * (len(bounds) + 1), total_ns / 1e9


def _summed(histograms: Iterable[Histogram]) -> tuple[list[int], int]:
    all_ = list(histograms)
    return _added(each.buckets for each in all_), sum(each.total for each in all_)


def _added(lists: Iterable[list[int]]) -> list[int]:
    return [sum(each) for each in zip(*lists, strict=True)]
