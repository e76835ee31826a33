"""Which autonomous system announces each address: a database of its own, as sorted intervals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from maxminddb.decoder import Decoder

from geodns.errors import ConfigError, Reason
from geodns.geo.cache import load_arrays, save_arrays
from geodns.geo.database import DatabaseFile, read_file, refusing
from geodns.geo.runs import Words, merged
from geodns.geo.tree import Leaves, Word, leaves4, leaves6

FIELDS = ("autonomous_system_number", "asn")
"""Names of the number in a record. Source: GeoLite2-ASN, DB-IP and ASN files as published."""
CACHE_FORMAT = 1
"""Raised whenever the cached arrays change in shape or meaning."""
ASN_MAX = 2**32 - 1
"""Source: RFC 6793 section 3."""


@dataclass(frozen=True, slots=True)
class AsnTable:
    """The AS number of every address, 0 where none is known; shaped as a World's intervals."""

    starts4: npt.NDArray[np.uint32]
    asn4: Words
    starts6: npt.NDArray[np.uint64]
    asn6: Words
    sha256: str


_DTYPES = {"starts4": "<u4", "asn4": "<u4", "starts6": "<u8", "asn6": "<u4"}


def load_asns(path: str | Path, cache_dir: Path | None) -> AsnTable:
    """Read an ASN database whole, or its arrays as an earlier run left them in ``cache_dir``.

    Errors: ConfigError unless it is a sound mmdb file with AS numbers.
    """
    file = read_file(path)
    sha256 = file.info.sha256
    cached = cache_dir and cache_dir / f"asn-{CACHE_FORMAT}-{sha256}.npz"
    if cached and (arrays := load_arrays(cached)) and _sound(arrays):
        return AsnTable(**{name: arrays[name] for name in _DTYPES}, sha256=sha256)  # type: ignore[arg-type]
    with refusing(file.info.path):
        table = _build(file)
    if cached:
        save_arrays(cached, {name: getattr(table, name) for name in _DTYPES})
    return table


def _build(file: DatabaseFile) -> AsnTable:
    tree = file.tree()
    decoder = Decoder(file.content, pointer_base=tree.data_start)
    known: dict[int, int] = {-1: 0}

    def numbers(leaves: Leaves[Word]) -> Words:
        pointers, inverse = np.unique(leaves.value, return_inverse=True)
        offsets = np.maximum(tree.record_offsets(pointers), -1).tolist()
        for at in offsets:
            if at not in known:
                known[at] = number_of(decoder.decode(tree.data_start + at)[0])
        return np.array([known[at] for at in offsets], np.uint32)[inverse]

    found4, found6 = leaves4(tree), leaves6(tree)
    table4 = _distinct(found4.start, numbers(found4))
    table6 = _distinct(found6.start, numbers(found6))
    if not any(known.values()):
        detail = f"The ASN database {file.info.path} holds no AS numbers."
        hint = "Use a file like GeoLite2-ASN."
        raise ConfigError([Reason("", "bad_asn_database", detail, str(file.info.path), hint)])
    return AsnTable(*table4, *table6, file.info.sha256)


def _distinct(starts: npt.NDArray[Word], asn: Words) -> tuple[npt.NDArray[Word], Words]:
    """One run from each start. Of IPv6 networks longer than /64 the first speaks for its /64."""
    first = np.append(True, starts[1:] != starts[:-1])
    return merged(starts[first], asn[first])


def number_of(record: object) -> int:
    """The AS number that a record tells; 0 if none. Total: the file is untrusted."""
    fields: dict[str, Any] = record if isinstance(record, dict) else {}
    for name in FIELDS:
        value = fields.get(name)
        text = str(value).upper().removeprefix("AS")
        if isinstance(value, int | str) and text.isascii() and text.isdecimal():
            return int(text) if len(text) <= 10 and int(text) <= ASN_MAX else 0
    return 0


def _sound(arrays: dict[str, Any]) -> bool:
    """Whether cached arrays are what `load_asns` keeps."""
    if {name: array.dtype.str for name, array in arrays.items()} != _DTYPES:
        return False
    return all(
        0 < len(starts) == len(arrays[values])
        and int(starts[0]) == 0
        and bool((starts[1:] > starts[:-1]).all())
        for starts, values in ((arrays["starts4"], "asn4"), (arrays["starts6"], "asn6"))
    )
