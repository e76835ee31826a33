"""The geo database as the control process uses it: to place nodes and to name its source."""

from __future__ import annotations

import logging
from importlib.resources import as_file, files
from pathlib import Path

from geodns.errors import ConfigError, Unavailable
from geodns.geo.database import GeoDatabase, Place, open_database

BUNDLED = "geodns-default.mmdb"

log = logging.getLogger("geodns.control")


class Geo:
    """Fills the API's port of the same name."""

    def __init__(self, path: Path | None) -> None:
        """``path`` None means the database that comes with geodns.

        A file that is no sound City database is logged and tried again when it is asked: what
        was compiled from its predecessor serves on, and the API stays up to say so.
        """
        self.path = path or bundled_database()
        self._database: GeoDatabase | None = None
        try:
            self._open()
        except Unavailable as error:
            log.error("%s", error)

    def lookup(self, address: str) -> Place | None:
        """Where an address is; None if the database does not know. Errors: Unavailable."""
        return self._open().lookup(address)

    def describe(self) -> str:
        """The database's name and edition. Errors: Unavailable."""
        info = self._open().info
        return f"{info.name} {info.build_date:%Y-%m}"

    def _open(self) -> GeoDatabase:
        if self._database is None:
            try:
                self._database = open_database(self.path)
            except ConfigError as error:
                raise Unavailable(error.reasons) from None
        return self._database


def bundled_database() -> Path:
    """The file that comes with geodns; a package is always installed as plain files."""
    with as_file(files("geodns.data") / BUNDLED) as path:
        return path
