"""Master files: text ↔ records (RFC 1035 §5.1, RFC 2308 §4, RFC 3597 §5).

`parse` goes on after every fault, so that one reading shows them all; `emit` writes what `parse`
and other servers read back to the same octets.
"""

from geodns.dns.zonefile.reader import FAULTS_MAX, RECORDS_MAX, TEXT_MAX_CHARACTERS, parse
from geodns.dns.zonefile.records import Record, Soa, ZoneText, emit

__all__ = [
    "FAULTS_MAX",
    "RECORDS_MAX",
    "TEXT_MAX_CHARACTERS",
    "Record",
    "Soa",
    "ZoneText",
    "emit",
    "parse",
]
