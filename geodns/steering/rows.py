"""Rows: a pool's places in the order of one group of users, cut into tiers of equally good ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodns.geo.vectors import Floats
from geodns.steering.tables import TIER_START, WHOLE

Words = NDArray[np.uint32]
Rows = list[Words]

SPREAD = 0x9E37_79B9_7F4A_7C15
"""An odd number that scatters bits. Source: 2^64 divided by the golden ratio, after Knuth."""

NO_GROUP = 0xFFFF_FFFF
"""Of a row: every place of the pool may answer."""


@dataclass(frozen=True, slots=True)
class Band:
    """How far a tier reaches beyond its first place: the larger of a share and a width."""

    percent: float
    width: float


@dataclass(frozen=True, slots=True)
class Groups:
    """Who may be answered by which places.

    Shape: ``of_user`` has a group for each user; ``may[g]`` a flag for each place.
    """

    of_user: Words
    may: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Shape: ``row_of[user]`` numbers ``rows``; a row's items are place numbers, TIER_START set
    on the first of each tier and WHOLE on the first if none follows. ``group`` has for each row
    the group of those that may follow."""

    row_of: Words
    rows: Rows
    group: Words


Part = tuple[Words, Rows]
"""A row number for each of some users, and the rows."""


def rank_groups(groups: Groups, rank: Callable[[Words, Words], Part]) -> Ranking:
    """Rank each group's users among the places that may answer them.

    Shape: ``rank`` gets users and places, and numbers the latter from 0 in its rows.
    """
    row_of = np.zeros(len(groups.of_user), np.uint32)
    rows: Rows = []
    group: list[int] = []
    for number, may in enumerate(groups.may):
        users = np.flatnonzero(groups.of_user == number).astype(np.uint32)
        places = np.flatnonzero(may).astype(np.uint32)
        if not len(users):
            continue
        part, ranked = rank(users, places) if len(places) else alike(users, places, one_tier=True)
        row_of[users] = part + np.uint32(len(rows))
        if may.all():
            rows += ranked
            group += [NO_GROUP] * len(ranked)
            continue
        for row in ranked:
            rows.append(_renumbered(row, places))
            group.append(NO_GROUP if len(row) == len(places) else number)
    return Ranking(row_of, rows, np.array(group, np.uint32))


def alike(users: Words, places: Words, *, one_tier: bool) -> Part:
    """Every user gets the pool's own order: one tier for all, or one for each place."""
    row = np.arange(len(places), dtype=np.uint32)
    row[: 1 if one_tier else None] |= np.uint32(TIER_START)
    return np.zeros(len(users), np.uint32), [row]


def rows_of(order: Words, away: Floats, band: Band) -> Part:
    """Rows of equal length: ``order`` has each user's places, ``away`` how far they are."""
    return distinct_rows(items_of(order, away, band))


def items_of(order: Words, away: Floats, band: Band, first: Band | None = None) -> Words:
    """A row for each user, alike or not; ``first`` is as in `tier_starts`."""
    items = order.astype(np.uint32)
    items[tier_starts(away, band, first)] |= np.uint32(TIER_START)
    return items


def reach(anchor: Floats, band: Band) -> Floats:
    """How far a tier reaches."""
    return anchor + np.maximum(anchor * band.percent / 100, band.width)


def tier_starts(away: Floats, band: Band, first: Band | None = None) -> NDArray[np.bool_]:
    """Where a tier begins: the first place farther than its tier's anchor reaches.

    Shape: ``first`` is the band of the first tier if that is another.
    """
    starts = np.zeros(away.shape, np.bool_)
    starts[:, 0] = True
    limit = reach(away[:, 0], first or band)
    for column in range(1, away.shape[1]):
        starts[:, column] = beyond = away[:, column] > limit
        if beyond.any():
            limit = np.where(beyond, reach(away[:, column], band), limit)
    return starts


def distinct_rows(items: Words) -> Part:
    """Number the distinct rows of a table."""
    keys = np.zeros(len(items), np.uint64)
    for column in items.T:
        keys = (keys ^ column) * np.uint64(SPREAD)
        keys ^= keys >> np.uint64(29)
    _, first, row_of = np.unique(keys, return_index=True, return_inverse=True)
    if not np.array_equal(items[first[row_of]], items):  # two rows of one key
        _, first, row_of = np.unique(items, axis=0, return_index=True, return_inverse=True)
    return row_of.astype(np.uint32), list(items[first])


def distinct_tables(count: int, tables: Sequence[tuple[NDArray[np.int64], Words]]) -> Part:
    """Number the distinct rows of several tables: equal ones would be two classes, and split
    scopes. Shape: a table has the users, ``count`` in all, and a row for each."""
    row_of = np.zeros(count, np.uint32)
    rows: Rows = []
    for width in sorted({items.shape[1] for _, items in tables}):
        same = [(users, items) for users, items in tables if items.shape[1] == width]
        part, found = distinct_rows(np.concatenate([items for _, items in same]))
        row_of[np.concatenate([users for users, _ in same])] = part + np.uint32(len(rows))
        rows += found
    return row_of, rows


def distinct(part: Part) -> Part:
    """The same with each row once, for those that were put together from several."""
    row_of, rows = part
    number_of: dict[bytes, int] = {}
    numbers = [number_of.setdefault(row.tobytes(), len(number_of)) for row in rows]
    first = dict(zip(reversed(numbers), reversed(rows), strict=True))
    return np.array(numbers, np.uint32)[row_of], [first[at] for at in range(len(number_of))]


def _renumbered(row: Words, places: Words) -> Words:
    """A row of some of a pool's places in the pool's own numbers."""
    marks = row & np.uint32(TIER_START)
    found: Words = places[row & ~np.uint32(TIER_START)] | marks
    if len(row) == len(places) and len(row):
        found[0] |= np.uint32(WHOLE)
    return found
