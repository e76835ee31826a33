"""Whom we steer by: the client subnet or the resolver, and the class it falls into."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from geodns.engine.query import Query
from geodns.engine.views import ViewTable
from geodns.geo.special import beside_embedded, fold, special_prefix_len
from geodns.snapshot.layout import SPECIAL_CLASS


class Subject(NamedTuple):
    """Shape: ``value`` is 64 bits of the address, for draws; ``scope`` goes into the reply;
    ``placed`` says that the place is known, or does not matter."""

    number: int
    scope: int
    value: int
    by_ecs: bool
    placed: bool


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
        return Subject(number, scope, address, True, view.knows4(number, address))
    return _subject6(query, view, resolver)


def _subject6(query: Query, view: ViewTable, resolver: str) -> Subject:
    octets = query.subnet
    address = int.from_bytes(octets, "big") << 128 - 8 * len(octets)
    number, scope = view.locate.find6(address >> 64)
    if number != SPECIAL_CLASS:
        upper = address >> 64
        return Subject(number, scope, upper, True, view.knows6(number, upper))
    folded = fold(address, query.source_prefix_len)
    if folded is not None:
        inner, _, offset = folded
        number, inner_scope = view.locate.find4(inner)
        if number != SPECIAL_CLASS:
            placed = view.knows4(number, inner)
            return Subject(number, inner_scope + offset, inner, True, placed)
    # A source too short to show an embedded address shows 0.0.0.0, which is special as well.
    own = special_prefix_len(address, 6)
    return by_resolver(view, resolver, own or max(scope, beside_embedded(address)))


def by_resolver(view: ViewTable, resolver: str, scope: int) -> Subject:
    """The class of the packet's source; one without a place gets the unknown class."""
    address = ip_address(resolver.partition("%")[0])
    number = int(address)
    if address.version == 6:
        folded = fold(number, 128)
        if folded is None:
            upper = number >> 64
            found = _ordinary(view.locate.find6(upper)[0], view)
            return Subject(found, scope, upper, False, view.knows6(found, upper))
        number = folded[0]
    found = _ordinary(view.locate.find4(number)[0], view)
    return Subject(found, scope, number, False, view.knows4(found, number))


def _ordinary(number: int, view: ViewTable) -> int:
    return view.unknown if number == SPECIAL_CLASS else number
