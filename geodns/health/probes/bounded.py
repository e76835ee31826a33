"""Any probe in bounded time: what it found, or what went wrong, as an observation."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from geodns.health.observation import OWN_FAULTS, Observation, clean, failure, unable, words_of
from geodns.health.probes.local import Refused, Unable
from geodns.model.monitor import Monitor

EXPIRY_WARNING_DAYS = 14
"""A certificate that ends sooner is pointed out. Source: no reference; who renews 30 days before
has failed for two weeks by then."""

EXPIRY_WARNING_SHARE = 1 / 6
"""The same for those that last for days only: this share of their life. Source: a certificate of
90 days then warns 14 days before, as above; one of 6 days, renewed after 3, warns on the last."""

DAY_S = 86_400.0


class Misbehaviour(Exception):
    """A reply that no well-behaved peer sends; the text says what is wrong with it."""


@dataclass(slots=True)
class Progress:
    """How far a probe has come, for the words of a timeout: ``missing`` is what it waits for,
    ``ours`` whether for this machine and not for the target."""

    missing: str = "no connection"
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reply said."""

    passed: bool
    reason: str
    warning: str = ""
    certificate_days: int | None = None


Look = Callable[[Progress], Awaitable[Finding]]


async def bounded(monitor: Monitor, look: Look) -> Observation:
    """What ``look`` finds within the monitor's timeout. Total."""
    started_s = time.monotonic()
    progress = Progress()
    try:
        async with asyncio.timeout(monitor.timeout_s) as limit:
            found = await look(progress)
    except TimeoutError:
        if progress.ours:
            return unable(f"{progress.missing} in {monitor.timeout_s:g} s")
        if limit.expired():
            return failure(f"{progress.missing} in {monitor.timeout_s:g} s")
        return failure(f"{progress.missing}: the system gave up waiting")
    except Unable as error:
        return unable(str(error))
    except (Refused, Misbehaviour) as error:
        return failure(str(error))
    except OSError as error:
        ours = error.errno in OWN_FAULTS and not isinstance(error, ssl.SSLError)
        return unable(f"cannot probe: {words_of(error)}") if ours else failure(words_of(error))
    return _in_time(monitor, found, (time.monotonic() - started_s) * 1000)


def _in_time(monitor: Monitor, found: Finding, elapsed_ms: float) -> Observation:
    most_ms = monitor.expect.max_latency_ms
    passed, reason = found.passed, found.reason
    if passed and most_ms is not None and elapsed_ms > most_ms:
        passed, reason = False, f"{reason}, but in {elapsed_ms:.0f} ms, wanted {most_ms:g}"
    return Observation(passed, clean(reason), elapsed_ms, found.warning, found.certificate_days)


def expiry(tls: ssl.SSLObject | None) -> tuple[str, int | None]:
    """A warning if the peer's certificate ends soon, and its days left.

    Shape: nothing is known of a certificate that was not verified.
    """
    certificate = tls.getpeercert() if tls is not None else None
    if not certificate:
        return "", None
    begins_s, ends_s = (
        ssl.cert_time_to_seconds(str(certificate[field])) for field in ("notBefore", "notAfter")
    )
    left_s = ends_s - time.time()
    days = int(left_s // DAY_S)
    soon_s = min(EXPIRY_WARNING_DAYS * DAY_S, (ends_s - begins_s) * EXPIRY_WARNING_SHARE)
    return (f"certificate ends in {days} days" if left_s < soon_s else ""), days
