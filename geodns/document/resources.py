"""Every resource of a Config under one kind of key and one pointer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from geodns.model.base import Resource, join_pointer, read
from geodns.model.config import Config
from geodns.model.latency import Latency
from geodns.model.monitor import Monitor
from geodns.model.network import Network
from geodns.model.node import Node
from geodns.model.override import Override
from geodns.model.pool import Pool
from geodns.model.webhook import REVEALED, Webhook
from geodns.model.zone import RRset, Steer, Zone

Key = tuple[str, ...]
"""Where a resource stands: (id,), (zone,), (zone, owner) or (zone, owner, type)."""

KINDS: dict[str, type[Resource]] = {
    "zone": Zone,
    "steer": Steer,
    "rrset": RRset,
    "pool": Pool,
    "node": Node,
    "monitor": Monitor,
    "network": Network,
    "latency": Latency,
    "override": Override,
    "webhook": Webhook,
}


def section(kind: str) -> str:
    """The name of a kind's collection, in the document and in URLs."""
    return kind if kind == "latency" else f"{kind}s"


def attribute(kind: str) -> str:
    """The name of a kind's collection in a `Config`."""
    return "latencies" if kind == "latency" else f"{kind}s"


def of_kind(config: Config, kind: str) -> Mapping[Any, Any]:
    """All resources of a kind, by id or by the `Config`'s own tuple."""
    found: Mapping[Any, Any] = getattr(config, attribute(kind))
    return found


class Item(NamedTuple):
    """A resource with its kind and key."""

    kind: str
    key: Key
    resource: Resource


def resources(config: Config) -> Iterator[Item]:
    """All resources, kind by kind as in `KINDS`, each kind in the Config's own order."""
    for kind in KINDS:
        for key, resource in of_kind(config, kind).items():
            yield Item(kind, key if isinstance(key, tuple) else (key,), resource)


def collect(items: Iterable[Item]) -> Config:
    """The Config of these resources; the last one wins where two have the same key."""
    sections: dict[str, dict[Any, Any]] = {attribute(kind): {} for kind in KINDS}
    for kind, key, resource in items:
        sections[attribute(kind)][key[0] if len(key) == 1 else key] = resource
    return Config(**sections)


def pointer(kind: str, key: Key) -> str:
    """Where the resource stands in the document (RFC 6901)."""
    if kind in ("steer", "rrset"):
        zone, *rest = key
        return join_pointer("", ("zones", zone, section(kind), *rest))
    return join_pointer("", (section(kind), *key))


def body(resource: Resource) -> dict[str, Any]:
    """The resource as plain data; what has its default is left out, secrets are hidden."""
    return resource.model_dump(mode="json", exclude_defaults=True)


def whole_body(resource: Resource) -> dict[str, Any]:
    """The same with its secrets: for the store and for merging, never for a reply."""
    return resource.model_dump(mode="json", exclude_defaults=True, context=REVEALED)


def shown(kind: str, stored: dict[str, Any]) -> dict[str, Any]:
    """A stored body for everybody's eyes. Errors: ConfigError if nobody can tell its secrets."""
    return body(read(Webhook, stored)) if kind == "webhook" else stored
