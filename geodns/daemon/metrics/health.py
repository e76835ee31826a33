"""Metrics of health: checks and transitions since the health process began, and the words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client.core import Metric

from geodns.api.metrics import SECONDS, family, histogram
from geodns.snapshot.status import Override, StatusTable, Verdict

RESULTS = ("passed", "failed", "unable")
CHANGES = ("up", "down", "unknown")


def health_metrics(counts: Mapping[str, Any], ready: bool) -> Iterator[Metric]:
    """What the health process counts (`geodns.health.tally`)."""
    checks = counts.get("checks")
    by_type: Mapping[str, Any] = checks if isinstance(checks, dict) else {}
    yield family(
        "geodns_health_checks_total",
        *(
            ((type_, result), told.get(result, 0))
            for type_, told in sorted(by_type.items())
            for result in RESULTS
        ),
    )
    yield histogram(
        "geodns_health_check_duration_seconds",
        *(
            ((type_,), SECONDS, told["buckets"], told["elapsed_s"])
            for type_, told in sorted(by_type.items())
        ),
    )
    yield family(
        "geodns_health_transitions_total",
        *(((to,), counts.get(f"to_{to}", 0)) for to in CHANGES),
    )
    yield family("geodns_health_holding", ((), counts.get("holding", 0)))
    yield family("geodns_health_ready", ((), ready))


def target_metrics(table: StatusTable, targets: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    """What the status words say of every target."""
    words = [table.word(each["slot"], each["tag"]) for each in targets]
    watched = [word for word, each in zip(words, targets, strict=True) if each["monitor"]]
    verdicts = Counter(word.verdict for word in watched)
    overrides = Counter(word.override for word in watched)
    yield family("geodns_targets", *_states(Verdict, verdicts))
    yield family("geodns_targets_overridden", *_states((Override.UP, Override.DOWN), overrides))
    yield family(
        "geodns_target_up",
        *(
            (
                (each["nodes"][0], each["address"], each["monitor"] or ""),
                float(word.verdict is not Verdict.DOWN),
            )
            for word, each in zip(words, targets, strict=True)
        ),
    )


def _states(
    states: Iterable[Any], counts: Mapping[Any, int]
) -> Iterator[tuple[tuple[str, ...], float]]:
    for state in states:
        yield (state.name.lower(),), counts[state]
