"""Build the list of places: ``python -m data.build_places [TARGET]``.

It needs the packages that README.md names, and nothing else.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from data.builder.places import airports, cities, metropolises

TARGET = Path(__file__).with_name("places.tsv.gz")


def main(target: Path) -> None:
    """Airports, cities of several airports, cities; without a time, so that it can be rebuilt."""
    lines = [*metropolises(), *airports(), *cities()]
    target.write_bytes(gzip.compress("".join(lines).encode(), 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else TARGET)
