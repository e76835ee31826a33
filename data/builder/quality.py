"""How far a database is from full DB-IP: ``python -m data.builder.quality SOURCE [DATABASE]``.

Agreement with the source, not with the truth. Samples are addresses the source places; for IPv4
they are weighed so that each country counts by its people, for IPv6 each /32 counts once.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np

from data import DEFAULT_DATABASE
from data.builder.countries import population
from data.builder.source import FILES
from geodns.geo.distance import great_circle_km
from geodns.geo.special import special_prefix_len
from geodns.geo.tree import leaves6, read_tree

SAMPLES4, SAMPLES6, SEED = 60_000, 20_000, 5
Address = IPv4Address | IPv6Address


def main(source: Path, database: Path) -> None:
    """Print one line for each family."""
    for family, sample in ((4, _sample4), (6, _sample6)):
        with (
            maxminddb.open_database(source / FILES[family]) as full,
            maxminddb.open_database(database) as reduced,
        ):
            print(f"IPv{family}: {_compare(list(sample(source, full)), reduced)}")  # noqa: T201


def _compare(samples: list[tuple[Address, Any]], reduced: maxminddb.Reader) -> str:
    pairs: list[Any] = [(full, reduced.get(address)) for address, full in samples]
    weight = _weights([full["country_code"] for full, _ in pairs], samples[0][0].version)
    found = np.array([own is not None for _, own in pairs])
    same = np.array(
        [own and own["country"]["iso_code"] == full["country_code"] for full, own in pairs]
    )
    km = np.array([_km(full, own["location"]) if own else np.nan for full, own in pairs])
    median, ninety = _quantiles(km[found], weight[found], (0.5, 0.9))
    return (
        f"{len(pairs)} samples, {100 * np.average(found, weights=weight):.2f} % found, "
        f"country {100 * np.average(same[found] == True, weights=weight[found]):.2f} %, "  # noqa: E712
        f"p50 {median:.0f} km, p90 {ninety:.0f} km"
    )


def _km(full: Any, point: Any) -> float:
    return great_circle_km(
        full["latitude"], full["longitude"], point["latitude"], point["longitude"]
    )


def _weights(countries: list[str], version: int) -> Any:
    if version == 6:
        return np.ones(len(countries))
    count = Counter(countries)
    return np.array([population(country) / count[country] for country in countries])


def _quantiles(values: Any, weight: Any, shares: tuple[float, ...]) -> list[float]:
    order = np.argsort(values)
    below = np.cumsum(weight[order])
    return [float(values[order][np.searchsorted(below, share * below[-1])]) for share in shares]


def _sample4(_: Path, full: maxminddb.Reader) -> Iterator[tuple[Address, Any]]:
    rng = np.random.default_rng(SEED)
    numbers = (int(number) for number in iter(lambda: rng.integers(0, 1 << 32), None))
    ordinary = (number for number in numbers if special_prefix_len(number, 4) is None)
    return islice(_placed(map(IPv4Address, ordinary), full), SAMPLES4)


def _sample6(source: Path, full: maxminddb.Reader) -> Iterator[tuple[Address, Any]]:
    """The first network in each of some /32, since random addresses would hit nothing."""
    metadata = full.metadata()
    content = (source / FILES[6]).read_bytes()
    tree = read_tree(content, metadata.node_count, metadata.record_size, metadata.ip_version)
    leaves = leaves6(tree)
    starts = leaves.start[leaves.value > tree.nodes]
    _, first = np.unique(starts >> np.uint64(32), return_index=True)
    chosen = np.random.default_rng(SEED).permutation(starts[first])
    addresses = (int(start) << 64 | 1 for start in chosen)
    ordinary = (number for number in addresses if special_prefix_len(number, 6) is None)
    return islice(_placed(map(IPv6Address, ordinary), full), SAMPLES6)


def _placed(addresses: Any, full: maxminddb.Reader) -> Iterator[tuple[Address, Any]]:
    for address in addresses:
        record: Any = full.get(address)
        if record and record["country_code"] not in ("", "ZZ", None):
            yield address, record


if __name__ == "__main__":
    default = Path(__file__).parents[1] / DEFAULT_DATABASE
    main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else default)
