"""Build the default geo database: ``python -m data.build_default SOURCE [TARGET]``.

SOURCE is the unpacked folder of the npm package that README.md names.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from data.builder.cells import Cells, make_cells
from data.builder.countries import describe
from data.builder.levels import Addresses
from data.builder.reduce import BOUNDS, Labels, Reducer
from data.builder.source import NOWHERE, read_source
from data.builder.writer import write_mmdb
from geodns.geo.runs import painted
from geodns.geo.vectors import unit_vectors
from geodns.geo.world import special_blocks4, special_blocks6

TARGET = Path(__file__).with_name("geodns-default.mmdb")

DATABASE_TYPE = "DBIP-City-Lite-reduced"
DESCRIPTION = "IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0, modified: reduced for geodns"


def main(source: Path, target: Path) -> None:
    """Read, group, reduce, empty the special-purpose blocks, and write."""
    tables, spots, epoch = read_source(source)
    cells = make_cells(spots, tables)
    cell_vectors = unit_vectors(cells.latitude, cells.longitude)
    reduced = {}
    for family, table in tables.items():
        bound = BOUNDS[family]
        reducer = Reducer(table, bound, spots.vectors(), cell_vectors, cells.of_spot)
        reduced[family] = _without_special(*reducer.reduce(), family)
    used = np.unique(np.concatenate([labels for _, labels in reduced.values()]))
    # Cell 0 is nowhere and comes first, so that record -1, nothing, is its number.
    numbers = {
        family: (starts, np.searchsorted(used, labels) - 1)
        for family, (starts, labels) in reduced.items()
    }
    records = [_record(cells, cell) for cell in used.tolist() if cell != NOWHERE]
    write_mmdb(target, numbers[4], numbers[6], records, _metadata(epoch))


def _without_special(starts: Addresses, labels: Labels, family: int) -> tuple[Addresses, Any]:
    blocks = special_blocks4() if family == 4 else special_blocks6()
    word: Any = np.uint32 if family == 4 else np.uint64
    own_starts, own_labels = painted(starts.astype(word), labels, blocks, NOWHERE)
    return own_starts.astype(np.uint64), own_labels


def _record(cells: Cells, cell: int) -> dict[str, Any]:
    point = {
        "latitude": float(cells.latitude[cell]),
        "longitude": float(cells.longitude[cell]),
    }
    return describe(cells.country[cell]) | {"location": point}


def _metadata(build_epoch: int) -> dict[str, Any]:
    """The source's build time is kept: it tells how old the data is."""
    return {
        "database_type": DATABASE_TYPE,
        "description": {"en": DESCRIPTION},
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": build_epoch,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if sys.argv[2:] else TARGET))
