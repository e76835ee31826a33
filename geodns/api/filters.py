"""Which resources of a collection are wanted: the parameters of lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, get_args

from geodns.api.openapi import Part
from geodns.api.ports import Observer
from geodns.dns.names import from_url, to_url
from geodns.dns.rrtypes import type_from_text, type_to_text
from geodns.document.fleet import memberships
from geodns.document.overrides import matched_nodes
from geodns.document.resources import Key
from geodns.document.schema import NAME_PATTERN, TYPE_PATTERN
from geodns.errors import ConfigError, Reason
from geodns.model.base import ID_PATTERN, Resource
from geodns.model.config import Config
from geodns.model.monitor import MonitorType

TEXT_MAX_CHARACTERS = 1024
"""Longest text looked for. Source: no reference; no id and no part of a value needs more."""

Test = Callable[[Key, Any], bool]
"""Whether a resource is wanted, by its key and itself."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One parameter: what it is for, its schema, and the test that a text of it stands for.

    Shape: ``make`` raises ConfigError for what it cannot read.
    """

    about: str
    schema: Part
    make: Callable[[str, Config, Observer], Test]


def filters_of(word: str) -> Mapping[str, Filter]:
    """The filters of a kind's list, by parameter."""
    return {"prefix": _PREFIX, **_FILTERS.get(word, {})}


def read_filters(word: str, query: Mapping[str, str], config: Config, observer: Observer) -> Test:
    """The test that all filters of a query make together. Errors: ConfigError, all at once."""
    tests: list[Test] = []
    faults: list[Reason] = []
    for name, each in filters_of(word).items():
        if name not in query:
            continue
        try:
            tests.append(each.make(query[name], config, observer))
        except ConfigError as error:
            detail = f"The parameter {name} cannot be read: {error.reasons[0].detail}"
            faults.append(Reason("", "bad_parameter", detail, query[name][:200]))
    if faults:
        raise ConfigError(faults)
    return lambda key, resource: all(test(key, resource) for test in tests)


# --- The tests ---


def _prefix(text: str, config: Config, observer: Observer) -> Test:
    _bounded(text)

    def test(key: Key, _: Resource) -> bool:
        return key[-1].startswith(text) if len(key) < 3 else key[1].startswith(text)

    return test


def _labels(text: str, config: Config, observer: Observer) -> Test:
    wanted = [part.partition("=") for part in text.split(",")]
    if not all(name for name, _, _ in wanted):
        raise _unreadable("labels are like site=fra,tier=edge, or tier for any value.")

    def test(_: Key, node: Any) -> bool:
        return all(
            name in node.labels and (not equals or node.labels[name] == value)
            for name, equals, value in wanted
        )

    return test


def _state(text: str, config: Config, observer: Observer) -> Test:
    _choice(text, STATES)
    return lambda key, _: observer.node_status(key[0])["state"] == text


def _of_pool(text: str, config: Config, observer: Observer) -> Test:
    _id(text)
    members = config.members(text) if text in config.pools else {}
    return lambda key, _: key[0] in members


def _with_address(text: str, config: Config, observer: Observer) -> Test:
    wanted = _network(text)
    return lambda _, node: any(_overlap(wanted, _parsed(each)) for each in node.addresses)


def _with_subnet(text: str, config: Config, observer: Observer) -> Test:
    wanted = _network(text)
    return lambda _, network: any(_overlap(wanted, _parsed(each)) for each in network.subnets)


def _steered_to(text: str, config: Config, observer: Observer) -> Test:
    _id(text)
    return lambda _, steer: text in config.steer_pools(steer)


def _with_node(text: str, config: Config, observer: Observer) -> Test:
    _id(text)
    members = memberships(config)
    return lambda key, _: text in members.get(key[0], ())


def _for_node(text: str, config: Config, observer: Observer) -> Test:
    _id(text)
    members = memberships(config)
    return lambda _, override: text in matched_nodes(config, override, members)


def _of_type(text: str, config: Config, observer: Observer) -> Test:
    wanted = type_to_text(type_from_text(text))
    return lambda key, _: key[2] == wanted


def _of_owner(text: str, config: Config, observer: Observer) -> Test:
    wanted = to_url(from_url(text))
    return lambda key, _: key[1] == wanted


def _holding(text: str, config: Config, observer: Observer) -> Test:
    _bounded(text)
    return lambda _, rrset: any(text in value for value in rrset.values)


def _equal(field: str, choices: tuple[str, ...] = ()) -> Callable[..., Test]:
    def make(text: str, config: Config, observer: Observer) -> Test:
        _choice(text, choices)
        if not choices:
            _id(text)
        return lambda _, resource: getattr(resource, field) == text

    return make


def _among(field: str, choices: tuple[str, ...]) -> Callable[..., Test]:
    def make(text: str, config: Config, observer: Observer) -> Test:
        _choice(text, choices)
        return lambda _, resource: text in getattr(resource, field)

    return make


# --- Reading ---

STATES = ("up", "down", "unknown")
_EVENTS = ("transition", "alarm", "relief", "generation")
_FORMATS = ("json", "slack")


def _bounded(text: str) -> None:
    if len(text) > TEXT_MAX_CHARACTERS:
        raise _unreadable(f"it has more than {TEXT_MAX_CHARACTERS} characters.")


def _id(text: str) -> None:
    if re.fullmatch(ID_PATTERN, text) is None or text.endswith("\n"):
        raise _unreadable(f"it is an id, {ID_PATTERN}.")


def _choice(text: str, choices: tuple[str, ...]) -> None:
    if choices and text not in choices:
        raise _unreadable(f"it is one of {', '.join(choices)}.")


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise _unreadable("it is an address like 192.0.2.1 or a prefix of one.") from None


@lru_cache(maxsize=65_536)
def _parsed(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)


def _overlap(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _unreadable(detail: str) -> ConfigError:
    return ConfigError([Reason("", "bad_parameter", detail)])


# --- The table ---


def _one_of(choices: tuple[str, ...]) -> Part:
    return {"type": "string", "enum": list(choices)}


_TEXT: Part = {"type": "string", "maxLength": TEXT_MAX_CHARACTERS}
_ID: Part = {"type": "string", "pattern": ID_PATTERN}
_ADDRESS: Part = {"type": "string", "pattern": "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$"}
_TYPES: tuple[str, ...] = get_args(MonitorType)

_PREFIX = Filter("Ids, or owners, that begin so.", _TEXT, _prefix)

_FILTERS: dict[str, dict[str, Filter]] = {
    "node": {
        "label": Filter(
            "Nodes with this label, or these: site=fra,tier=edge.",
            {"type": "string", "pattern": "^[^,=]+(=[^,]*)?(,[^,=]+(=[^,]*)?)*$"},
            _labels,
        ),
        "state": Filter("Nodes in this state.", _one_of(STATES), _state),
        "pool": Filter("Members of this pool.", _ID, _of_pool),
        "address": Filter("Nodes with this address, or any within a prefix.", _ADDRESS,
                          _with_address),
    },
    "pool": {
        "node": Filter("Pools of which this node is a member.", _ID, _with_node),
        "monitor": Filter("Pools that this monitor watches.", _ID, _equal("monitor")),
        "fallback": Filter("Pools that fall back to this one.", _ID, _equal("fallback")),
    },
    "monitor": {"type": Filter("Monitors of this type.", _one_of(_TYPES), _equal("type", _TYPES))},
    "steer": {"pool": Filter("Steers that this pool may answer for.", _ID, _steered_to)},
    "rrset": {
        "owner": Filter("RRsets of this owner.", {"type": "string", "pattern": NAME_PATTERN},
                        _of_owner),
        "type": Filter("RRsets of this type.", {"type": "string", "pattern": TYPE_PATTERN},
                       _of_type),
        "value": Filter("RRsets with this text in a value.", _TEXT, _holding),
    },
    "network": {
        "address": Filter("Networks that hold this address or overlap this prefix.", _ADDRESS,
                          _with_subnet),
    },
    "override": {
        "state": Filter("Overrides to this state.", _one_of(("up", "down")),
                        _equal("state", ("up", "down"))),
        "node": Filter("Overrides that match this node.", _ID, _for_node),
    },
    "webhook": {
        "event": Filter("Webhooks that are told of it.", _one_of(_EVENTS),
                        _among("events", _EVENTS)),
        "format": Filter("Webhooks of this format.", _one_of(_FORMATS),
                         _equal("format", _FORMATS)),
    },
}  # fmt: skip
