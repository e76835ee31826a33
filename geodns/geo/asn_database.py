"""A database of autonomous systems, asked address by address: GeoLite2-ASN, DB-IP ASN and alike."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import maxminddb
import numpy as np
from maxminddb.decoder import Decoder

from geodns.errors import ConfigError, Reason
from geodns.geo.asn import number_of
from geodns.geo.database import (
    RECORDS_TRIED,
    Address,
    DatabaseFile,
    DatabaseInfo,
    parse_address,
    read_file,
    refusing,
)

ORGANISATIONS = ("autonomous_system_organization", "as_name", "name")
"""Names of the organisation in a record. Source: the files as published."""


@dataclass(frozen=True, slots=True)
class Asn:
    """An autonomous system; ``organisation`` is empty where the database names none."""

    number: int
    organisation: str = ""

    def as_text(self) -> str:
        """As in ``AS3320 Deutsche Telekom AG``."""
        return f"AS{self.number} {self.organisation}".rstrip()


class AsnDatabase:
    """An open database. Made by ``open_asns``."""

    def __init__(self, file: DatabaseFile) -> None:
        self.info: DatabaseInfo = file.info
        # From memory and in pure Python, as the geo database and for its reasons.
        self._reader = maxminddb.open_database(BytesIO(file.content), maxminddb.MODE_FD)

    def lookup(self, address: str | Address) -> Asn | None:
        """Who announces an address; None if the database does not know.

        Errors: ConfigError for text that is no address, or if the file turns out corrupt.
        """
        asked = parse_address(address)
        if asked.version > self.info.ip_version:
            return None
        with refusing(self.info.path):
            record = self._reader.get(asked)
        number = number_of(record)
        return Asn(number, _organisation(record)) if number else None


def open_asns(path: str | Path) -> AsnDatabase:
    """Open a database of autonomous systems.

    Errors: ConfigError if it is missing, corrupt, or holds no AS numbers.
    """
    file = read_file(path)
    with refusing(file.info.path):
        if not _has_numbers(file):
            detail = f"The ASN database {path} holds no AS numbers."
            hint = "Use a file like GeoLite2-ASN."
            raise ConfigError([Reason("", "bad_asn_database", detail, str(path), hint)])
        return AsnDatabase(file)


def _has_numbers(file: DatabaseFile) -> bool:
    """Whether any of some records, spread over the file, has a number."""
    tree = file.tree()
    records = np.unique(tree.children[tree.children > tree.nodes])
    chosen = records[:: max(1, len(records) // RECORDS_TRIED)]
    decoder = Decoder(file.content, pointer_base=tree.data_start)
    offsets = tree.record_offsets(chosen) + tree.data_start
    return any(number_of(decoder.decode(offset)[0]) for offset in offsets.tolist())


def _organisation(record: object) -> str:
    fields = record if isinstance(record, dict) else {}
    found = (fields.get(name) for name in ORGANISATIONS)
    return next((name for name in found if isinstance(name, str)), "")
