"""A GeoIP2-City database file: checked when opened, then asked address by address.

The door to geoip2 and maxminddb. Whatever is wrong with a file ends as ConfigError.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Any

import geoip2.database
import geoip2.errors
import maxminddb
import numpy as np
from maxminddb.decoder import Decoder

from geodns.errors import ConfigError, GeodnsError, Reason
from geodns.geo.tree import BrokenFile, SearchTree, read_tree

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

COARSE_RADIUS_KM = 1000
"""Accuracy radius from which a place stands for a whole country.

Source: MaxMind puts addresses known only by country at its middle with this radius.
"""
RECORDS_TRIED = 256
"""Records looked at, spread over the file, to find one with coordinates.

Source: GeoLite2-City lacks them in 1,390 of 3.7 million networks; a country file in all.
"""


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """What a database says of itself, and the digest of its bytes. The date is in UTC."""

    name: str
    build_date: date
    build_epoch: int
    path: Path
    ip_version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is, as far as the database knows; empty text is not known.

    Shape: ``country`` is ISO 3166-1 alpha-2, ``subdivision`` the outermost ISO 3166-2 part
           without its country, ``continent`` one of AF AN AS EU NA OC SA.
    """

    latitude: float
    longitude: float
    continent: str = ""
    country: str = ""
    subdivision: str = ""
    city: str = ""
    accuracy_radius_km: int | None = None
    network: Network | None = None

    @property
    def coarse(self) -> bool:
        """Whether the point stands for a whole country."""
        radius_km = self.accuracy_radius_km
        return radius_km is not None and radius_km >= COARSE_RADIUS_KM

    def as_text(self) -> str:
        """Region and coordinates in one line, as in ``EU-IT 45.63,8.72``."""
        region = "-".join(filter(None, (self.continent, self.country, self.subdivision)))
        return f"{region or 'unknown'} {self.latitude:.2f},{self.longitude:.2f}"


class GeoDatabase:
    """An open database. Made by ``open_database``; close it, or use it in ``with``."""

    def __init__(
        self, info: DatabaseInfo, reader: geoip2.database.Reader, *, has_subdivisions: bool
    ) -> None:
        self.info = info
        self.has_subdivisions = has_subdivisions
        self._reader = reader

    def lookup(self, address: str | Address) -> Place | None:
        """The place of an address; None if the database has none, or no coordinates for it.

        Errors: ConfigError for text that is no address, or if the file turns out corrupt.
        """
        asked = parse_address(address)
        if asked.version > self.info.ip_version:
            return None
        with refusing(self.info.path):
            try:
                found = self._reader.city(asked)
            except geoip2.errors.AddressNotFoundError:
                return None
            return place_of(found.to_dict(), found.traits.network)

    def close(self) -> None:
        self._reader.close()

    def __enter__(self) -> GeoDatabase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """The bytes of a City database and what its metadata says; ``tree`` checks the rest."""

    info: DatabaseInfo
    content: bytes
    node_count: int
    record_size: int

    def tree(self) -> SearchTree:
        """The search tree as arrays. Errors: ConfigError if it is broken."""
        with refusing(self.info.path):
            return read_tree(self.content, self.node_count, self.record_size, self.info.ip_version)


def open_database(path: str | Path) -> GeoDatabase:
    """Open a GeoIP2-City file (GeoLite2-City, GeoIP2-City, DB-IP City, ours).

    Errors: ConfigError if it is missing, unreadable, truncated, corrupt, of another kind, or
            without coordinates.
    """
    file = read_database(path)
    with refusing(file.info.path):
        if not _has_coordinates(file.content, file.tree()):
            raise no_coordinates(file.info.path)
        # Its own copy in memory: a file cut short later would end a process that maps it, and
        # the C extension, which only maps, crashes on some corrupt records (version 3.2.0).
        reader = geoip2.database.Reader(BytesIO(file.content), mode=maxminddb.MODE_FD)
        # A record that tells of them says so by this key.
        has_subdivisions = b"subdivisions" in file.content
        return GeoDatabase(file.info, reader, has_subdivisions=has_subdivisions)


def read_database(path: str | Path) -> DatabaseFile:
    """Read a file whole. Errors: ConfigError unless it is an mmdb file of the City kind."""
    file = read_file(path)
    with refusing(file.info.path):
        # geoip2's Reader.city() accepts a file by this word.
        if "City" not in file.info.name:
            why = f"is of type {file.info.name[:80]!r}, which has no coordinates"
            raise _refusal(file.info.path, why, CITY_HINT)
        return file


def read_file(path: str | Path) -> DatabaseFile:
    """Read a file whole. Errors: ConfigError unless it is an mmdb file."""
    path = Path(path)
    with refusing(path):
        content = path.read_bytes()
        with maxminddb.open_database(BytesIO(content), maxminddb.MODE_FD) as reader:
            metadata = reader.metadata()
        info = DatabaseInfo(
            name=metadata.database_type,
            build_date=datetime.fromtimestamp(metadata.build_epoch, UTC).date(),
            build_epoch=metadata.build_epoch,
            path=path,
            ip_version=metadata.ip_version,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        return DatabaseFile(info, content, metadata.node_count, metadata.record_size)


def no_coordinates(path: Path) -> ConfigError:
    """The refusal of a file that places nothing."""
    return _refusal(path, "holds no coordinates in the GeoIP2-City schema", CITY_HINT)


def place_of(record: object, network: Network | None = None) -> Place | None:
    """The place a City record tells; None without sound coordinates.

    Shape: total. What has not the type the schema says counts as not known.
    """
    point = _part(record, "location")
    latitude, longitude = _number(point.get("latitude")), _number(point.get("longitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    radius_km = _number(point.get("accuracy_radius"))
    return Place(
        latitude,
        longitude,
        continent=_code(_part(record, "continent").get("code")),
        country=_code(_part(record, "country").get("iso_code")),
        subdivision=_code(_part(record, "subdivisions").get("iso_code")),
        city=_text(_part(_part(record, "city"), "names").get("en")),
        accuracy_radius_km=None if radius_km is None else int(radius_km),
        network=network,
    )


def parse_address(address: str | Address) -> Address:
    """The address a text spells. Errors: ConfigError."""
    try:
        return ip_address(address)
    except ValueError:
        raise ConfigError(
            [Reason("", "invalid_address", f"{address!r} is not an IP address.", str(address))]
        ) from None


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn whatever a parser says about a bad file into ConfigError.

    The file is untrusted, and its readers raise what they like (InvalidDatabaseError,
    UnicodeDecodeError, TypeError, RecursionError …): all of it means that the file is bad.
    """
    try:
        yield
    except GeodnsError:
        raise
    except FileNotFoundError:
        raise _refusal(path, "does not exist", "Check the path.") from None
    except OSError as error:
        why = f"cannot be read: {error.strerror or error}"
        raise _refusal(path, why, "Check the path and its permissions.") from None
    except BrokenFile as error:
        raise _refusal(path, f"is corrupt: {error}", FETCH_HINT) from None
    except Exception as error:
        raise _refusal(path, "is corrupt, or no mmdb file", FETCH_HINT) from error


FETCH_HINT = "Fetch it again."
CITY_HINT = "Use a City database: GeoLite2-City, GeoIP2-City, or the default."


def _refusal(path: Path, why: str, hint: str) -> ConfigError:
    detail = f"The geo database {path} {why}."
    return ConfigError([Reason("", "bad_geo_database", detail, str(path), hint)])


def _has_coordinates(content: bytes, tree: SearchTree) -> bool:
    """Whether any of some records, spread over the file, has a place."""
    records = np.unique(tree.children[tree.children > tree.nodes])
    chosen = records[:: max(1, len(records) // RECORDS_TRIED)]
    decoder = Decoder(content, pointer_base=tree.data_start)
    offsets = tree.record_offsets(chosen) + tree.data_start
    return any(place_of(decoder.decode(offset)[0]) is not None for offset in offsets.tolist())


def _part(record: object, key: str) -> dict[str, Any]:
    """The map under a key, or the first of a list of maps; empty if there is none."""
    part = record.get(key) if isinstance(record, dict) else None
    if isinstance(part, list | tuple) and part:
        part = part[0]
    return part if isinstance(part, dict) else {}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _code(value: object) -> str:
    """A country's, continent's or subdivision's code, which is one to three letters or digits."""
    text = _text(value)
    return text if len(text) <= 3 and text.isascii() and text.isalnum() else ""
