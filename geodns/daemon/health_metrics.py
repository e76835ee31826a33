"""Metrics of health in Prometheus's text format. Every label has a few values, known ahead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from geodns.snapshot.status import Override, Verdict, Word

RESULTS = ("passed", "failed", "unable")
CHANGES = ("up", "down", "unknown")


def health_lines(counts: Mapping[str, object], words: Iterable[Word]) -> list[str]:
    """Checks and transitions since the health process began, and what the words say now."""
    seen = list(words)
    verdicts = Counter(word.verdict for word in seen)
    overrides = Counter(word.override for word in seen)
    return [
        "# HELP geodns_health_checks_total Checks by result.",
        "# TYPE geodns_health_checks_total counter",
        *(f'geodns_health_checks_total{{result="{r}"}} {_count(counts, r)}' for r in RESULTS),
        "# HELP geodns_health_transitions_total Changes of verdicts, by the new one.",
        "# TYPE geodns_health_transitions_total counter",
        *(
            f'geodns_health_transitions_total{{to="{each}"}} {_count(counts, f"to_{each}")}'
            for each in CHANGES
        ),
        "# HELP geodns_health_holding 1 while the checker holds all verdicts.",
        "# TYPE geodns_health_holding gauge",
        f"geodns_health_holding {_count(counts, 'holding')}",
        "# HELP geodns_targets Targets by verdict.",
        "# TYPE geodns_targets gauge",
        *(f'geodns_targets{{state="{each.name.lower()}"}} {verdicts[each]}' for each in Verdict),
        "# HELP geodns_targets_overridden Targets by override.",
        "# TYPE geodns_targets_overridden gauge",
        *(
            f'geodns_targets_overridden{{state="{each.name.lower()}"}} {overrides[each]}'
            for each in (Override.UP, Override.DOWN)
        ),
    ]


def _count(counts: Mapping[str, object], name: str) -> int:
    found = counts.get(name, 0)
    return found if isinstance(found, int) else 0
