"""The records of a zone, and the master file they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from geodns.dns.names import canonical, labels, to_text
from geodns.dns.rdata import rdata_to_text, soa_rdata
from geodns.dns.rrtypes import TYPE_NS, TYPE_SOA, TYPES, type_to_text


class Record(NamedTuple):
    """One record of class IN.

    Shape: ``owner`` canonical, ``rdata`` as `geodns.dns.rdata` makes it; ``ttl`` is None where
           the file's first ``$TTL`` is meant, or where the file says nothing at all.
    Units: seconds; ``line`` counts from 1.
    """

    owner: bytes
    rtype: int
    ttl: int | None
    rdata: bytes
    line: int = 0


class Soa(NamedTuple):
    """The SOA's fields (RFC 1035 §3.3.13) and its own TTL. Units: seconds, but the serial."""

    mname: bytes
    rname: bytes
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int
    ttl: int | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class ZoneText:
    """A master file that was read: ``ttl`` is its first ``$TTL``, ``records`` all but the SOA."""

    origin: bytes
    soa: Soa
    ttl: int | None
    records: list[Record]


def emit(
    origin: bytes,
    records: Iterable[Record],
    soa: Soa | None = None,
    ttl: int | None = None,
    comments: Iterable[str] = (),
) -> str:
    """The master file of these records.

    Shape: comments, ``$ORIGIN``, ``$TTL``, SOA, the apex's NS, then owners in the order of
           RFC 4034 §6.1 and their types by number; records of one RRset keep their order.
    """
    lines = [f"; {comment}" for comment in comments]
    lines.append(f"$ORIGIN {to_text(origin)}")
    if ttl is not None:
        lines.append(f"$TTL {ttl}")
    if soa is not None:
        made = Record(origin, TYPE_SOA, soa.ttl, soa_rdata(*soa[:7]))
        lines.append(_line(made, origin))
    apex = canonical(origin)
    ordered = sorted(records, key=lambda record: _order(record, apex))
    lines += (_line(record, origin) for record in ordered)
    return "\n".join(lines) + "\n"


def canonical_order(name: bytes) -> tuple[bytes, ...]:
    """A key that sorts names as RFC 4034 §6.1 does: label by label from the right."""
    return tuple(reversed(labels(canonical(name))))


def _order(record: Record, apex: bytes) -> tuple[tuple[bytes, ...], bool, int]:
    other = record.rtype != TYPE_NS or record.owner != apex
    return canonical_order(record.owner), other, record.rtype


def _line(record: Record, origin: bytes) -> str:
    words = [to_text(record.owner, origin), "IN", type_to_text(record.rtype)]
    if record.ttl is not None:
        words.insert(1, str(record.ttl))
    return "\t".join([*words, _data(record, origin)])


def _data(record: Record, origin: bytes) -> str:
    if record.rtype in _OWN_TEXT:
        return rdata_to_text(record.rtype, record.rdata, origin)
    # RFC 3597 §5: a type that is written by number is known to no reader.
    return rf"\# {len(record.rdata)} {record.rdata.hex()}".rstrip()


_OWN_TEXT = frozenset({*TYPES.values(), TYPE_SOA})
