"""The nearest places of many points at once, some places seeming nearer or farther than they are.

Finding them anew takes a tenth of a second for a City database; when few places have changed,
only the points are asked again that one of those concerns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geodns.geo.vectors import Floats, chord_to_km, unit_vectors

Words = NDArray[np.uint32]

SAME_KM = 1e-5
"""Distances that differ by less are equal, so that places come in one order on every machine.

Source: 1 cm is far below any difference that means something, and above what rounding costs.
"""

CHANGED_MOST = 8
"""Places that may differ for an earlier result to be brought up to date rather than made anew.

Source: measured, each of 1,000 places concerns 0.8 % of the points; past some tens it is slower.
"""


FEW = 20_000
"""Distances that are worked out one by one sooner than a tree of the places is made.

Source: measured, either takes 1 ms.
"""


@dataclass(frozen=True)
class PlaceSet:
    """Places to be near to.

    Shape: ``points`` is (n, 2) of latitude, longitude; ``factor`` multiplies each one's distances.
    """

    points: Floats
    factor: Floats

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def rows(self) -> list[bytes]:
        """What tells places apart."""
        table = np.column_stack([self.points, self.factor])
        width = table.itemsize * table.shape[1]
        octets = table.tobytes()
        return [octets[at : at + width] for at in range(0, len(octets), width)]

    def at(self, chosen: Words) -> PlaceSet:
        """Some of the places, by number."""
        if len(chosen) == len(self):
            return self
        return PlaceSet(self.points[chosen], self.factor[chosen])


@dataclass(frozen=True, slots=True)
class Near:
    """For each point its nearest places, nearest first, equally near ones by number.

    Units: ``km`` is what the distance counts as, its place's factor applied.
    """

    number: Words
    km: Floats


def bias_factor(bias: int, *, symmetric: bool) -> float:
    """What a node's distances are multiplied by: under 1, it draws users from farther away.

    Source: Route 53 documents d * (1 - b/100); symmetric is its older formula, by which -50
            doubles what +50 halves.
    """
    if bias < 0 and symmetric:
        return 1 / (1 + bias / 100)
    return 1 - bias / 100


def nearest(points: Floats, places: PlaceSet, count: int) -> Near:
    """The ``count`` nearest places of each point, or all of them.

    Shape: ``points`` are unit vectors, one a row.
    """
    count = min(count, len(places))
    vectors = unit_vectors(places.points[:, 0], places.points[:, 1])
    if len(points) * len(places) <= FEW:
        chords = np.linalg.norm(points[:, None, :] - vectors[None, :, :], axis=2)
        number = np.tile(np.arange(len(places), dtype=np.uint32), (len(points), 1))
        return _sorted(number, chord_to_km(chords) * places.factor, count)
    parts = [
        _of_factor(points, vectors, np.flatnonzero(places.factor == factor), float(factor), count)
        for factor in np.unique(places.factor)
    ]
    number = np.concatenate([part.number for part in parts], axis=1)
    km = np.concatenate([part.km for part in parts], axis=1)
    return _sorted(number, km, count)


def updated(
    before: Near, had: PlaceSet, points: Floats, places: PlaceSet, count: int
) -> Near | None:
    """What `nearest` gives, from what it gave for other places; None if too much has changed."""
    moved = _renumbering(had, places)
    if moved is None or before.number.shape[1] != min(count, len(places)):
        return None
    new_number, gone, fresh = moved
    if len(gone) + len(fresh) > CHANGED_MOST:
        return None
    number, km = new_number[before.number], before.km.copy()
    concerned = np.isin(before.number, gone).any(axis=1) if len(gone) else np.zeros(len(km), bool)
    for place in fresh.tolist():
        vector = unit_vectors(places.points[place, 0], places.points[place, 1])
        away = chord_to_km(np.linalg.norm(points - vector, axis=1)) * places.factor[place]
        concerned |= away <= km[:, -1] + SAME_KM
    at = np.flatnonzero(concerned)
    if len(at):
        again = nearest(points[at], places, count)
        number[at], km[at] = again.number, again.km
    return Near(number, km)


def _renumbering(
    had: PlaceSet, places: PlaceSet
) -> tuple[Words, NDArray[np.int64], NDArray[np.int64]] | None:
    """New numbers of the places that were there, those that are gone, and those that are new.

    Shape: None if places have changed their order, for that decides between equally near ones.
    """
    old, new = had.rows, places.rows
    number_of: dict[bytes, list[int]] = {}
    for number, row in enumerate(new):
        number_of.setdefault(row, []).append(number)
    renumbered = np.zeros(len(old), np.uint32)
    gone, kept = [], []
    for number, row in enumerate(old):
        left = number_of.get(row)
        if left:
            renumbered[number] = left.pop(0)
            kept.append(int(renumbered[number]))
        else:
            gone.append(number)
    if kept != sorted(kept):
        return None
    fresh = sorted(number for left in number_of.values() for number in left)
    return renumbered, np.array(gone, np.int64), np.array(fresh, np.int64)


def _of_factor(
    points: Floats, vectors: Floats, numbers: NDArray[np.int64], factor: float, count: int
) -> Near:
    """The nearest among the places of one factor, at least as many as ``count`` can take."""
    own = vectors[numbers]
    # Places on one spot tie; whoever of them comes last by number must not push out another.
    spots = np.unique(own, axis=0, return_counts=True)[1]
    wanted = min(len(numbers), count - 1 + int(spots.max()))
    chords, order = cKDTree(own).query(points, k=wanted)
    shape = (len(points), wanted)
    km = chord_to_km(chords.reshape(shape)) * factor
    return _sorted(numbers[order.reshape(shape)].astype(np.uint32), km, count)


def _sorted(number: Words, km: Floats, count: int) -> Near:
    """The first ``count`` of each row by distance, then by number."""
    steps = np.diff(np.round(km / SAME_KM), axis=1)
    wrong = np.flatnonzero((steps <= 0).any(axis=1))
    if len(wrong):
        by_number = np.argsort(number[wrong], axis=1, kind="stable")
        numbers = np.take_along_axis(number[wrong], by_number, axis=1)
        distances = np.take_along_axis(km[wrong], by_number, axis=1)
        by_km = np.argsort(np.round(distances / SAME_KM), axis=1, kind="stable")
        number[wrong] = np.take_along_axis(numbers, by_km, axis=1)
        km[wrong] = np.take_along_axis(distances, by_km, axis=1)
    return Near(np.ascontiguousarray(number[:, :count]), np.ascontiguousarray(km[:, :count]))
