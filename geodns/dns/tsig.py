"""Signed messages (RFC 8945), as a server reads them that shares no key with anybody."""

from __future__ import annotations

from struct import Struct

from geodns.dns.message import CLASS_ANY, Name, read_name

TYPE_TSIG = 250  # RFC 8945 §4.2
BADKEY = 17  # RFC 8945 §3

# RFC 8945 §4.2, behind the algorithm: 48 bits of time, fudge, MAC size; and behind the MAC.
_TIME_AND_MAC = Struct(">6sHH")
_REST = Struct(">HHH")
_RECORD = Struct(">HHIH")


def bad_key(message: bytes, key: Name) -> bytes | None:
    """The TSIG that tells the sender of this message that its key is not known here.

    Shape:  the message ends with a whole record, owned by ``key``; the reply's is unsigned: its
            MAC is empty (RFC 8945 §5.2.1, §5.3.2).
    Errors: none; None if the record is not a well formed TSIG, which is FORMERR (§5.2).
    """
    _, rclass, ttl, _ = _RECORD.unpack_from(message, key.end)
    algorithm = read_name(message, key.end + _RECORD.size)
    if rclass != CLASS_ANY or ttl or algorithm is None:
        return None
    told = _read_signature(message[algorithm.end :])
    if told is None:
        return None
    time_and_fudge, original_id = told
    rdata = algorithm.name + time_and_fudge + b"\0\0" + original_id
    rdata += BADKEY.to_bytes(2, "big") + b"\0\0"
    return key.name + _RECORD.pack(TYPE_TSIG, CLASS_ANY, 0, len(rdata)) + rdata


def _read_signature(octets: bytes) -> tuple[bytes, bytes] | None:
    """Time with fudge, and the original ID, of what follows the algorithm."""
    if len(octets) < _TIME_AND_MAC.size + _REST.size:
        return None
    *_, size = _TIME_AND_MAC.unpack_from(octets)
    at = _TIME_AND_MAC.size + size
    if at + _REST.size > len(octets):
        return None
    *_, other = _REST.unpack_from(octets, at)
    if at + _REST.size + other != len(octets):
        return None
    return octets[:8], octets[at : at + 2]
