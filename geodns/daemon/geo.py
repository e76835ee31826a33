"""The geo database as the control process uses it: to place nodes and to name its source."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from geodns.geo.database import GeoDatabase, Place, open_database

BUNDLED = "geodns-default.mmdb"


class Geo:
    """Fills the API's port of the same name."""

    def __init__(self, path: Path | None) -> None:
        """``path`` None means the database that comes with geodns.

        Errors: ConfigError when the file is not a sound City database.
        """
        self.path = path or bundled_database()
        self._database: GeoDatabase = open_database(self.path)

    def lookup(self, address: str) -> Place | None:
        """Where an address is; None if the database does not know."""
        return self._database.lookup(address)

    def describe(self) -> str:
        """The database's name and edition."""
        info = self._database.info
        return f"{info.name} {info.build_date:%Y-%m}"


def bundled_database() -> Path:
    """The file that comes with geodns; a package is always installed as plain files."""
    with as_file(files("geodns.data") / BUNDLED) as path:
        return path
