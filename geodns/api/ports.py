"""What the API needs of the layers above it and beside it. The daemon fills these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Protocol

from prometheus_client.core import Metric

from geodns.errors import Reason
from geodns.model.config import Config


class Publisher(Protocol):
    """Turns configurations into generations that workers serve."""

    @property
    def generation(self) -> int:
        """The generation published last; 0 before the first."""

    async def publish(self, config: Config, *, forced: str | None) -> int:
        """Compile and publish; the generation that holds ``config``.

        Shape:  calls come in the order of the commits and may be coalesced; a configuration
                that is already published makes no new generation.
        Errors: GeodnsError when it is refused; what was served before is served on.
        """

    async def served(self, generation: int, timeout_s: float) -> bool:
        """Whether every worker acknowledges ``generation`` or a later one in time."""


class PlaceView(Protocol):
    """A place as the geo database knows it. Units: degrees, WGS 84."""

    @property
    def latitude(self) -> float: ...

    @property
    def longitude(self) -> float: ...

    def as_text(self) -> str:
        """The place's code, like ``EU-DE``."""


class AsnView(Protocol):
    """An autonomous system as a database knows it."""

    def as_text(self) -> str:
        """Its number and who it is, like ``AS64500 Example Ltd``."""


class Geo(Protocol):
    """The geo database, and that of autonomous systems if there is one."""

    @property
    def knows_asns(self) -> bool:
        """Whether there is a database of autonomous systems."""

    @property
    def knows_subdivisions(self) -> bool:
        """Whether the database tells of states, provinces and the like."""

    def lookup(self, address: str) -> PlaceView | None:
        """Where an address is; None if the database does not know."""

    def asn(self, address: str) -> AsnView | None:
        """Who announces an address; None if that is not known."""

    def describe(self) -> str:
        """The database's name and edition, like ``dbip-city-lite 2026-11``."""

    def describe_asns(self) -> str | None:
        """The same of the autonomous systems; None if there is none."""


class Observer(Protocol):
    """What the running server sees of itself."""

    def explain(
        self, name: str, rtype: str, source: str | None, resolver: str | None
    ) -> dict[str, Any]:
        """What would be answered and why. Errors: ConfigError, NotFound."""

    def node_status(self, node_id: str) -> dict[str, Any]:
        """A node's health: ``{"state": "up", "targets": […]}``."""

    def steer_status(self, zone_id: str, owner: str) -> dict[str, Any] | None:
        """How a steer is compiled: ``{"cache_entries": {"v4": …, "v6": …}, "classes": …}``, the
        entries of a cache that keeps them by scope; None before it is served."""

    def webhook_status(self, webhook_id: str) -> dict[str, Any] | None:
        """What became of a webhook's notices: ``{"waiting": 0, "delivered": 3, "failed": 0,
        "dropped": 0, "last": {"at": …, "error": …}}``; None before it is known."""

    def serial(self, zone_id: str) -> int | None:
        """The SOA serial that a zone is served with; None before it is."""

    def status(self) -> dict[str, Any]:
        """The server at a glance."""

    def faults(self, announce: bool) -> list[Reason]:
        """What keeps this server from being ready, or from being announced; none: it is."""

    def collect(self) -> Iterable[Metric]:
        """Metrics of `geodns.api.metrics`. From any thread."""


class Health(Protocol):
    """The health process, as far as it answers."""

    async def told(self, targets: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """What it knows of targets by (address, monitor); of one alone with its transitions.

        Shape: as `geodns.health.requests.told`; less than asked for, or nothing, if it is mute.
        """

    def beat(self, node_id: str, load: float | None) -> None:
        """Hand on a sign of life, and how busy the node says it is."""

    def events(self, last: str | None) -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
        """Id, kind and data of what happens after an event, or from now on.

        Shape:  a kind of "" is a mere sign of life.
        Errors: ConfigError if ``last`` is no id of an event, Unavailable.
        """

    def push(self, verdict: dict[str, Any]) -> None:
        """Hand on a verdict from outside, as `geodns.health.requests.PushRequest`."""
