"""Metrics of the generation that is served, and of the databases it was made from."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import Metric

from geodns.api.metrics import family
from geodns.daemon.live import Live


def generation_metrics(live: Live) -> Iterator[Metric]:
    """Which, and how old."""
    yield family("geodns_generation", ((), live.number))
    yield family("geodns_generation_age_seconds", ((), _age_s(live.created)))
    name, built = live.database
    yield family("geodns_geo_age_seconds", ((name,), _age_s(built)))


def _age_s(instant: str) -> float:
    when = datetime.fromisoformat(instant)
    return time.time() - (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
