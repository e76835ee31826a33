"""The kinds of resources: where each lives in a URL, and how its key is read there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geodns.dns.names import excerpt, from_url, to_url
from geodns.dns.rrtypes import type_from_text, type_to_text
from geodns.document.resources import KINDS, Key, attribute, of_kind, section
from geodns.errors import ConfigError, Reason
from geodns.model.base import ID_PATTERN, Resource
from geodns.model.config import Config


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource. ``fields`` name the parts of its key in the URL, ``home`` the
    first so many of them that its collection lies below."""

    word: str
    fields: tuple[str, ...]
    home: int = 0

    @property
    def section(self) -> str:
        """The collection's name in URLs and in the document."""
        return section(self.word)

    @property
    def attribute(self) -> str:
        """The collection's name in a `Config`."""
        return attribute(self.word)

    @property
    def model(self) -> type[Resource]:
        return KINDS[self.word]

    @property
    def collection_path(self) -> str:
        return "/zones/{zone}/" + self.section if self.home else f"/{self.section}"

    @property
    def item_path(self) -> str:
        own = "/".join(f"{{{field}}}" for field in self.fields[self.home :])
        return f"{self.collection_path}/{own}"

    def title(self, key: Key) -> str:
        """The resource as a person would name it."""
        own = " ".join(key[self.home :])
        return f"{self.word} {own} of zone {key[0]}" if self.home else f"{self.word} {own}"

    def id_of(self, key: Key) -> str:
        """The id within its collection: the rest of the URL."""
        return "/".join(key[self.home :])

    def section_of(self, config: Config) -> Mapping[Any, Any]:
        """The Config's resources of this kind by `config_key`."""
        return of_kind(config, self.word)

    def split_id(self, text: str) -> tuple[str, ...]:
        """The key's own parts in an id. Errors: ConfigError if there are too few or many."""
        own = tuple(text.split("/"))
        if len(own) != len(self.fields) - self.home:
            form = "/".join(self.fields[self.home :])
            detail = f'Id "{excerpt(text)}" is not of the form {form}.'
            raise ConfigError([Reason("", "bad_form", detail, excerpt(text))])
        return own


ZONE = Kind("zone", ("zone",))
NODE = Kind("node", ("id",))
LATENCY = Kind("latency", ("id",))
MONITOR = Kind("monitor", ("id",))
OVERRIDE = Kind("override", ("id",))
WEBHOOK = Kind("webhook", ("id",))
ALL = (
    ZONE,
    Kind("steer", ("zone", "owner"), home=1),
    Kind("rrset", ("zone", "owner", "type"), home=1),
    NODE,
    Kind("pool", ("id",)),
    MONITOR,
    Kind("network", ("id",)),
    LATENCY,
    OVERRIDE,
    WEBHOOK,
)


def config_key(key: Key) -> Key | str:
    """The key as a `Config` has it."""
    return key[0] if len(key) == 1 else key


def read_key(kind: Kind, parts: tuple[str, ...]) -> Key:
    """The key that parts of a URL stand for, in the one spelling of names and types.

    Shape:  ``parts`` may end early, for a collection.
    Errors: ConfigError "bad_name", "unknown_type", "type_not_allowed", "bad_form".
    """
    readers = {"zone": _zone, "type": _type, "id": _id}
    key: list[str] = []
    for field, text in zip(kind.fields, parts, strict=False):
        key.append(_owner(text, key[0]) if field == "owner" else readers[field](text))
    return tuple(key)


def _zone(text: str) -> str:
    return to_url(from_url(text))


def _owner(text: str, zone: str) -> str:
    origin = from_url(zone)
    return to_url(from_url(text, origin), origin)


def _type(text: str) -> str:
    return type_to_text(type_from_text(text))


def _id(text: str) -> str:
    # fullmatch: "$" alone would let a final line end pass
    if re.fullmatch(ID_PATTERN, text) is None or text.endswith("\n"):
        shown = excerpt(text)
        detail = f'Id "{shown}" must match {ID_PATTERN}.'
        raise ConfigError([Reason("", "bad_form", detail, shown)])
    return text
