"""Whom we steer by: the client subnet or the resolver, and the class it falls into."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from geodns.engine.query import Query
from geodns.engine.views import ViewTable
from geodns.geo.special import fold, special_prefix_len
from geodns.snapshot.layout import SPECIAL_CLASS


class Subject(NamedTuple):
    """Shape: ``value`` is 64 bits of the address, for draws; ``scope`` goes into the reply."""

    number: int
    scope: int
    value: int
    by_ecs: bool


def subject_of(query: Query, view: ViewTable, resolver: str, *, ecs: bool) -> Subject:
    """The class of a query, its scope, and what its draws depend on.

    RFC 7871 section 7.1.1: a source prefix length of 0 asks not to be steered by subnet; then
    and where ECS is off, the resolver counts and the scope is 0.
    """
    length = query.source_prefix_len
    if not ecs or not length:
        return by_resolver(view, resolver, 0)
    if query.family == 1:
        octets = query.subnet
        address = int.from_bytes(octets, "big") << 32 - 8 * len(octets)
        number, scope = view.locate.find4(address)
        if number == SPECIAL_CLASS:
            return by_resolver(view, resolver, special_prefix_len(address, 4) or scope)
        return Subject(number, scope, address, True)
    return _subject6(query, view, resolver)


def _subject6(query: Query, view: ViewTable, resolver: str) -> Subject:
    octets = query.subnet
    address = int.from_bytes(octets, "big") << 128 - 8 * len(octets)
    number, scope = view.locate.find6(address >> 64)
    if number != SPECIAL_CLASS:
        return Subject(number, scope, address >> 64, True)
    folded = fold(address, query.source_prefix_len)
    if folded is not None:
        inner, _, offset = folded
        number, inner_scope = view.locate.find4(inner)
        if number != SPECIAL_CLASS:
            return Subject(number, inner_scope + offset, inner, True)
    # A source too short to show an embedded address shows 0.0.0.0, which is special as well.
    return by_resolver(view, resolver, special_prefix_len(address, 6) or scope)


def by_resolver(view: ViewTable, resolver: str, scope: int) -> Subject:
    """The class of the packet's source; one without a place gets the unknown class."""
    address = ip_address(resolver.partition("%")[0])
    number = int(address)
    if address.version == 6:
        folded = fold(number, 128)
        if folded is None:
            found, _ = view.locate.find6(number >> 64)
            return Subject(_ordinary(found, view), scope, number >> 64, False)
        number = folded[0]
    found, _ = view.locate.find4(number)
    return Subject(_ordinary(found, view), scope, number, False)


def _ordinary(number: int, view: ViewTable) -> int:
    return view.unknown if number == SPECIAL_CLASS else number
