"""Whom we steer by: the client subnet or the resolver, and the class it falls into."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from geodns.engine.query import Query
from geodns.engine.views import Destination, Located, ViewTable
from geodns.geo.special import beside_embedded, fold, special_prefix_len
from geodns.snapshot.layout import SPECIAL_CLASS
from geodns.steering.draw import user_of
from geodns.steering.mix import DRAW_BITS, MASK

_USER4 = user_of(0xFFFF_FFFF, 4, DRAW_BITS[4])
_USER6 = user_of(MASK, 6, DRAW_BITS[6])

RESOLVERS_MAX = 1024
"""Resolvers that a view remembers the class of. Source: some 400 octets each; who asks without a
client subnet asks for many."""


class Subject(NamedTuple):
    """Shape: ``number`` is the class, ``destination`` what it leads to; ``value`` the IPv4 address
    or the upper 64 bits of the IPv6 one, by ``version``, for draws; ``scope`` goes into the
    reply; ``placed`` says that the place is known, or does not matter. ``user`` is the part of
    ``value`` that a split's arm and load depend on."""

    number: int
    scope: int
    value: int
    by_ecs: bool
    placed: bool
    version: int
    destination: Destination
    user: int


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
            # The block's own length (RFC 7871 section 10), or less of it beside a subnet rule.
            return by_resolver(view, resolver, max(scope, special_prefix_len(address, 4) or 0))
        return _subject4(view, number, address, scope, 0)
    return _subject6(query, view, resolver)


def _subject4(view: ViewTable, number: int, address: int, scope: int, offset: int) -> Subject:
    """By an IPv4 address, whose bits start at ``offset`` in the subnet.

    The scope holds all that the answer depends on, and may be longer than the source.
    """
    destination = view.destinations[view.record[number]]
    scope = offset + (scope if scope > destination.bits4 else destination.bits4)
    placed = number != view.unknown or view.knows4(number, address)
    return Subject(number, scope, address, True, placed, 4, destination, address & _USER4)


def _subject6(query: Query, view: ViewTable, resolver: str) -> Subject:
    octets = query.subnet
    address = int.from_bytes(octets, "big") << 128 - 8 * len(octets)
    upper = address >> 64
    number, scope = view.locate.find6(upper)
    if number != SPECIAL_CLASS:
        destination = view.destinations[view.record[number]]
        scope = max(scope, destination.bits6)
        placed = view.knows6(number, upper)
        return Subject(number, scope, upper, True, placed, 6, destination, upper & _USER6)
    folded = fold(address, query.source_prefix_len)
    if folded is not None:
        inner, _, offset = folded
        number, inner_scope = view.locate.find4(inner)
        if number != SPECIAL_CLASS:
            return _subject4(view, number, inner, max(inner_scope, scope - offset), offset)
        scope = max(scope, inner_scope + offset)
    # A source too short to show an embedded address shows 0.0.0.0, which is special as well.
    own = special_prefix_len(address, 6) or beside_embedded(address)
    return by_resolver(view, resolver, max(scope, own))


def by_resolver(view: ViewTable, resolver: str, scope: int) -> Subject:
    """The class of the packet's source; one without a place gets the unknown class."""
    found = view.resolvers.get(resolver)
    if found is None:
        if len(view.resolvers) >= RESOLVERS_MAX:
            view.resolvers.clear()
        found = view.resolvers[resolver] = _located(view, resolver)
    number, value, version, placed, user = found
    destination = view.destinations[view.record[number]]
    return Subject(number, scope, value, False, placed, version, destination, user)


def _located(view: ViewTable, resolver: str) -> Located:
    address = ip_address(resolver.partition("%")[0])
    # An IPv4 client of a dual-stack socket is an IPv4 client.
    address = getattr(address, "ipv4_mapped", None) or address
    value, version = int(address), address.version
    if version == 4:
        number = view.locate.find4(value)[0]
    else:
        upper, folded = value >> 64, fold(value, 128)
        number, value = view.locate.find6(upper)[0], upper
        if number == SPECIAL_CLASS and folded is not None:
            value, version = folded[0], 4
            number = view.locate.find4(value)[0]
    if number == SPECIAL_CLASS:
        number = view.unknown
    if version == 4:
        return Located(number, value, 4, view.knows4(number, value), value & _USER4)
    return Located(number, value, 6, view.knows6(number, value), value & _USER6)
