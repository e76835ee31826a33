"""The whole database at once: the place of every address, as sorted intervals."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geodns.geo.cache import Arrays, load_arrays, save_arrays
from geodns.geo.database import DatabaseFile, DatabaseInfo, no_coordinates, read_database, refusing
from geodns.geo.locations import SPECIAL, UNKNOWN, Gazetteer, Locations
from geodns.geo.records import Records
from geodns.geo.runs import Words, merged, painted
from geodns.geo.special import SPECIAL4, SPECIAL6, TRANSITION
from geodns.geo.tree import Word, leaves4, leaves6

CAP4, CAP6 = 24, 48
"""Longest prefixes with a place of their own.

Source: RFC 7871 section 11.1 advises resolvers to send no more than /24 and /56; networks are
routed by /24 and /48. Longer ones would split caches without moving users.
"""
CACHE_FORMAT = 1
"""Raised whenever the cached arrays change in shape or meaning, or are worked out otherwise."""


@dataclass(frozen=True, slots=True)
class World:
    """Every address's location: an interval reaches from its start to before the next.

    Shape: starts4 are IPv4 addresses, starts6 the upper 64 bits of IPv6 ones; both begin with
           0 and cover all. Every start is a multiple of a /24, a /48: of longer networks the
           largest known share of the block speaks for it. Neighbours differ in location.
           ``networks`` are the operator's own, the last of the locations, and may be longer;
           ``painted`` is a digest of them.
    """

    info: DatabaseInfo
    starts4: npt.NDArray[np.uint32]
    location4: Words
    starts6: npt.NDArray[np.uint64]
    location6: Words
    locations: Locations
    networks: tuple[str, ...] = ()
    painted: str = ""

    @property
    def key(self) -> str:
        """Tells what the world was made from."""
        return self.info.sha256 + self.painted


def load_world(path: str | Path, cache_dir: Path | None) -> World:
    """Read a whole database, or its arrays as an earlier run left them in ``cache_dir``.

    Errors: as ``open_database``, and ConfigError for a tree or record found corrupt on the way.
    """
    file = read_database(path)
    cached = cache_dir and cache_dir / f"world-{CACHE_FORMAT}-{file.info.sha256}.npz"
    if cached and (arrays := load_arrays(cached)) and (world := _from_arrays(file.info, arrays)):
        return world
    with refusing(file.info.path):
        world = _build(file)
    if cached:
        save_arrays(cached, _to_arrays(world))
    return world


def _build(file: DatabaseFile) -> World:
    tree = file.tree()
    gazetteer = Gazetteer(Records(file.content, tree), tree)
    found4, found6 = leaves4(tree), leaves6(tree)
    numbers4, numbers6 = gazetteer.numbers(found4), gazetteer.numbers(found6)
    locations = gazetteer.locations()
    if np.isnan(locations.latitude).all():
        raise no_coordinates(file.info.path)
    starts4, location4 = _capped(found4.start, found4.depth, numbers4, CAP4)
    starts6, location6 = _capped(found6.start, found6.depth, numbers6, CAP6)
    return World(
        file.info,
        *painted(starts4, location4, special_blocks4(), SPECIAL),
        *painted(starts6, location6, special_blocks6(), SPECIAL),
        locations,
    )


def _capped(
    start: npt.NDArray[Word], depth: npt.NDArray[np.uint8], location: Words, cap: int
) -> tuple[npt.NDArray[Word], Words]:
    """The same networks with those longer than ``cap`` made one by their largest known share."""
    long = depth > cap
    if not long.any():
        return merged(start, location)
    below = start.dtype.type(start.dtype.itemsize * 8 - cap)
    block, row = np.unique(start[long] >> below, return_inverse=True)
    speaker = _largest_share(row, location[long], np.exp2(cap - depth[long].astype(float)))
    starts = np.concatenate([start[~long], block << below])
    locations = np.concatenate([location[~long], speaker])
    order = np.argsort(starts, kind="stable")
    return merged(starts[order], locations[order])


def _largest_share(
    row: npt.NDArray[np.intp], location: Words, share: npt.NDArray[np.float64]
) -> Words:
    """For each row the location with the most share in it, ties to the lower number.

    What is not known has no share: a neighbour's place is the best guess for it.
    """
    share = np.where(location == UNKNOWN, 0.0, share)
    span = np.int64(location.max()) + 1
    pairs, pair_of = np.unique(row * span + location, return_inverse=True)
    shares = np.bincount(pair_of, weights=share)
    rows, locations = pairs // span, pairs % span
    order = np.lexsort((locations, -shares, rows))
    first = order[np.flatnonzero(np.diff(rows[order], prepend=-1))]
    speakers: Words = locations[first].astype(np.uint32)
    return speakers


def special_blocks4() -> list[tuple[int, int]]:
    """First and last address of each IPv4 block that has no place of its own."""
    networks = [IPv4Network(block) for block in SPECIAL4]
    return [(int(block.network_address), int(block.broadcast_address)) for block in networks]


def special_blocks6() -> list[tuple[int, int]]:
    """The same of IPv6, transition prefixes too, by the upper 64 bits and in whole /48."""
    networks = [IPv6Network(block) for block in (*SPECIAL6, *TRANSITION)]
    whole = [n.supernet(new_prefix=CAP6) if n.prefixlen > CAP6 else n for n in networks]
    return [(int(n.network_address) >> 64, int(n.broadcast_address) >> 64) for n in whole]


TABLES = {"starts4": "<u4", "location4": "<u4", "starts6": "<u8", "location6": "<u4"}
NUMBERS = {"latitude": "<f8", "longitude": "<f8", "coarse": "|b1"}
CODES = {"continent": "|S3", "country": "|S3", "subdivision": "|S3"}


def _to_arrays(world: World) -> Arrays:
    arrays: Arrays = {name: getattr(world, name) for name in TABLES}
    arrays |= {name: getattr(world.locations, name) for name in NUMBERS}
    return arrays | {
        name: np.array(getattr(world.locations, name), dtype) for name, dtype in CODES.items()
    }


def _from_arrays(info: DatabaseInfo, arrays: Arrays) -> World | None:
    """The world of cached arrays; None unless they are what ``_to_arrays`` makes."""
    if {name: array.dtype.str for name, array in arrays.items()} != TABLES | NUMBERS | CODES:
        return None
    places = len(arrays["latitude"])
    if any(len(arrays[name]) != places for name in NUMBERS | CODES) or not (
        _is_table(arrays["starts4"], arrays["location4"], places)
        and _is_table(arrays["starts6"], arrays["location6"], places)
    ):
        return None
    columns: dict[str, Any] = {name: arrays[name] for name in NUMBERS}
    columns |= {name: arrays[name].astype("U").tolist() for name in CODES}
    tables: dict[str, Any] = {name: arrays[name] for name in TABLES}
    return World(info, locations=Locations(**columns), **tables)


def _is_table(starts: npt.NDArray[Any], locations: npt.NDArray[Any], places: int) -> bool:
    return (
        0 < len(starts) == len(locations)
        and int(starts[0]) == 0
        and bool((starts[1:] > starts[:-1]).all())
        and int(locations.max()) < places
    )
