"""The geo database as the control process uses it: to place nodes and to name its source."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from geodns.errors import ConfigError, Unavailable
from geodns.geo.asn_database import Asn, AsnDatabase, open_asns
from geodns.geo.database import DatabaseInfo, GeoDatabase, Place, open_database

BUNDLED = "geodns-default.mmdb"

log = logging.getLogger("geodns.control")


class Geo:
    """Fills the API's port of the same name."""

    def __init__(self, path: Path | None, asn_path: Path | None = None) -> None:
        """``path`` None means the database that comes with geodns.

        A file that is no sound database is logged and tried again when it is asked: what was
        compiled from its predecessor serves on, and the API stays up to say so.
        """
        self.path = path or bundled_database()
        self.asn_path = asn_path
        self._database: GeoDatabase | None = None
        self._asns: AsnDatabase | None = None
        for check in (self._open, self._open_asns):
            try:
                check()
            except Unavailable as error:
                log.error("%s", error)

    @property
    def knows_asns(self) -> bool:
        """Whether there is a database of autonomous systems."""
        return self.asn_path is not None

    @property
    def knows_subdivisions(self) -> bool:
        """Whether the database tells of states, provinces and the like; one that cannot be read
        for now is not doubted."""
        return self._database is None or self._database.has_subdivisions

    def lookup(self, address: str) -> Place | None:
        """Where an address is; None if the database does not know. Errors: Unavailable."""
        return self._open().lookup(address)

    def asn(self, address: str) -> Asn | None:
        """Who announces an address; None if that is not known. Errors: Unavailable."""
        asns = self._open_asns()
        return asns.lookup(address) if asns else None

    def describe(self) -> str:
        """The database's name and edition. Errors: Unavailable."""
        return _edition(self._open().info)

    def describe_asns(self) -> str | None:
        """The same of the autonomous systems; None if there is none. Errors: Unavailable."""
        asns = self._open_asns()
        return _edition(asns.info) if asns else None

    def _open(self) -> GeoDatabase:
        if self._database is None:
            with _tried_again():
                self._database = open_database(self.path)
        return self._database

    def _open_asns(self) -> AsnDatabase | None:
        if self._asns is None and self.asn_path is not None:
            with _tried_again():
                self._asns = open_asns(self.asn_path)
        return self._asns


@contextmanager
def _tried_again() -> Iterator[None]:
    """A bad file is no fault of who asks, and may be whole the next time."""
    try:
        yield
    except ConfigError as error:
        raise Unavailable(error.reasons) from None


def _edition(info: DatabaseInfo) -> str:
    return f"{info.name} {info.build_date:%Y-%m}"


def bundled_database() -> Path:
    """The file that comes with geodns; a package is always installed as plain files."""
    with as_file(files("geodns.data") / BUNDLED) as path:
        return path
