"""Metrics: what there is to measure, what the API measures itself, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a sample more for each counter, which nobody asks for

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPEN_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
"""Sources: Prometheus, "Exposition formats"; OpenMetrics 1.0."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of what takes milliseconds to seconds. Source: Prometheus's default, from 1 ms on."""


class Row(NamedTuple):
    """One metric: its labels have few values, known ahead or configured."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


# fmt: off
TABLE = (
    Row("geodns_build_info", "gauge", ("version", "engine"), "What is running; always 1."),
    Row("geodns_ready", "gauge", (), "1 if /readyz would say so."),
    Row("geodns_dns_requests_total", "counter", ("zone", "proto", "family", "type"),
        "Queries that were answered. Zones are those served, `none` for names outside of them, "
        "`other` for all from the 511th on; families are 1 (IPv4) and 2 (IPv6)."),
    Row("geodns_dns_responses_total", "counter", ("zone", "rcode"), "Replies by what they say."),
    Row("geodns_dns_truncated_total", "counter", (), "Replies with TC: the client asks by TCP."),
    Row("geodns_dns_dropped_total", "counter", ("proto", "reason"),
        "Queries that were not answered: malformed (no query), forged (from port 0), busy (too "
        "many debug names at once), fault (we failed)."),
    Row("geodns_dns_request_size_bytes", "histogram", ("proto",), "Sizes of queries."),
    Row("geodns_dns_response_size_bytes", "histogram", ("proto",), "Sizes of replies."),
    Row("geodns_dns_request_duration_seconds", "histogram", ("proto",),
        "From taking a query from its socket to sending its reply. The native engine takes up to "
        "32 at once, and each of them counts as long as all."),
    Row("geodns_dns_tcp_connections", "gauge", (), "TCP connections that are open."),
    Row("geodns_dns_tcp_accepted_total", "counter", (), "TCP connections that were accepted."),
    Row("geodns_node_answers_total", "counter", ("node", "reason"),
        "Steered answers by node, and why it was it: preferred, rule (a rule leads there), "
        "next_tier (nobody nearer could answer), fallback (no pool before could), load (another "
        "sends users away), fail_open (nobody is up). Nodes that share an address and a monitor "
        "count as the first of them."),
    Row("geodns_worker_up", "gauge", ("worker",), "1 while a worker shows that it lives."),
    Row("geodns_worker_generation", "gauge", ("worker",), "The generation a worker serves."),
    Row("geodns_worker_heartbeat_age_seconds", "gauge", ("worker",),
        "Since when a worker has shown nothing."),
    Row("geodns_process_starts_total", "counter", ("process",), "How often a process was started."),
    Row("geodns_process_resident_memory_bytes", "gauge", ("process",),
        "Memory of a process, what it shares with others included."),
    Row("geodns_process_cpu_seconds_total", "counter", ("process",), "CPU time of a process."),
    Row("geodns_process_open_fds", "gauge", ("process",), "Descriptors a process has open."),
    Row("geodns_generation", "gauge", (), "The generation served now."),
    Row("geodns_generation_age_seconds", "gauge", (), "Since when it is served."),
    Row("geodns_geo_age_seconds", "gauge", ("database",),
        "Since when the geo database was built; of `asn` likewise."),
    Row("geodns_health_checks_total", "counter", ("type", "result"),
        "Probes by type of monitor: passed, failed, or unable (to be made)."),
    Row("geodns_health_check_duration_seconds", "histogram", ("type",),
        "How long probes took that got a reply."),
    Row("geodns_health_transitions_total", "counter", ("to",),
        "Changes of verdicts, by the new one."),
    Row("geodns_health_holding", "gauge", (),
        "1 while all verdicts are held, for the fault seems to be here."),
    Row("geodns_health_ready", "gauge", (), "1 once the first round of checks is over."),
    Row("geodns_targets", "gauge", ("state",), "Targets that are watched, by verdict."),
    Row("geodns_targets_overridden", "gauge", ("state",), "Targets held up or down by operators."),
    Row("geodns_target_up", "gauge", ("node", "address", "monitor"),
        "0 while a target is down. Nodes that share it count as the first of them."),
    Row("geodns_resources", "gauge", ("kind",), "Configured resources."),
    Row("geodns_api_requests_total", "counter", ("method", "route", "code"),
        "API requests; routes are templates, codes are classes like 2xx."),
    Row("geodns_api_request_duration_seconds", "histogram", ("route",),
        "From the head of a request to that of its reply."),
    Row("geodns_api_event_streams", "gauge", (), "Readers of the event stream."),
    Row("geodns_store_write_duration_seconds", "histogram", (), "Commits, each of many changes."),
    Row("geodns_publish_duration_seconds", "histogram", ("result",),
        "From handing over a configuration to its being served (accepted), or not (refused)."),
    Row("geodns_webhook_notices_total", "counter", ("result",),
        "Notices to webhooks: delivered, failed or dropped."),
)
# fmt: on
"""All metrics. The README has this table, and a test holds both equal."""

_ROWS = {row.name: row for row in TABLE}
_FAMILIES = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}

Collect = Callable[[], Iterable[Metric]]


def family(name: str, *samples: tuple[tuple[str, ...], float]) -> Metric:
    """A metric of the table, with label values and the value of each sample."""
    made = _family(name)
    for labels, value in samples:
        made.add_metric(labels, value)
    return made  # type: ignore[no-any-return]


def histogram(
    name: str, *samples: tuple[tuple[str, ...], Iterable[float], Iterable[int], float]
) -> Metric:
    """The same of a histogram: labels, bounds, buckets that count each for itself, the sum."""
    made = _family(name)
    for labels, bounds, buckets, total in samples:
        made.add_metric(labels, list(_cumulated(bounds, buckets)), total)
    return made  # type: ignore[no-any-return]


def _family(name: str):  # type: ignore[no-untyped-def]
    row = _ROWS[name]
    return _FAMILIES[row.kind](row.name, row.help, labels=row.labels)


def _cumulated(bounds: Iterable[float], buckets: Iterable[int]) -> Iterator[tuple[str, int]]:
    ends, seen = [f"{bound:g}" for bound in bounds], 0
    for end, count in zip((*ends, "+Inf"), buckets, strict=True):
        seen += count
        yield end, seen


class Meter:
    """What the control process measures of itself. Belongs to it for as long as it lives."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._make(Counter, "geodns_api_requests_total")
        self._durations = self._timer("geodns_api_request_duration_seconds")
        self._writes = self._timer("geodns_store_write_duration_seconds")
        self._publishings = self._timer("geodns_publish_duration_seconds")

    def request(self, method: str, route: str | None, status: int, elapsed_s: float) -> None:
        """A request was answered; ``route`` is a template, None where there is none."""
        method, route = method if method in METHODS else "other", route or NO_ROUTE
        self._requests.labels(method, route, f"{status // 100}xx").inc()
        self._durations.labels(route).observe(elapsed_s)

    def write(self, elapsed_s: float) -> None:
        """A commit is durable."""
        self._writes.observe(elapsed_s)

    def publishing(self, accepted: bool, elapsed_s: float) -> None:
        """A configuration was published, or refused."""
        self._publishings.labels("accepted" if accepted else "refused").observe(elapsed_s)

    def _timer(self, name: str) -> Histogram:
        row = _ROWS[name]
        return Histogram(name, row.help, row.labels, buckets=SECONDS, registry=self.registry)

    def _make(self, kind: type[Counter], name: str) -> Counter:
        row = _ROWS[name]
        return kind(name, row.help, row.labels, registry=self.registry)


class _All:
    """Metrics of several sources, in the order of the table."""

    def __init__(self, sources: Iterable[Collect]) -> None:
        self._sources = tuple(sources)

    def collect(self) -> Iterator[Metric]:
        """Each metric once."""
        found = {metric.name: metric for source in self._sources for metric in source()}
        for row in TABLE:
            metric = found.get(row.name.removesuffix("_total"))  # as the library calls counters
            if metric is not None:
                yield metric


def written(sources: Iterable[Collect], accept: str) -> tuple[bytes, str]:
    """All metrics in the format that is asked for, and its content type."""
    collector = _All(sources)
    if _wants_openmetrics(accept):
        octets = openmetrics.generate_latest(  # type: ignore[no-untyped-call]
            collector, version="1.0.0"
        )
        return octets, OPEN_TYPE
    return generate_latest(collector), TEXT_TYPE


def _wants_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is asked for more than plain text is (RFC 9110 section 12.5.1)."""
    weights = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for part in accept.lower().split(","):
        media, *parameters = (each.strip() for each in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        if media in weights:
            weights[media] = max(weights[media], _number(weight))
    return weights["application/openmetrics-text"] > weights["text/plain"]


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0 <= number <= 1 else 0.0


def markdown() -> str:
    """The table for the documentation."""
    rows = [("Metric", "Type", "Labels", "Meaning"), ("---",) * 4]
    for row in TABLE:
        labels = ", ".join(f"`{label}`" for label in row.labels)
        rows.append((f"`{row.name}`", row.kind, labels, row.help))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)
