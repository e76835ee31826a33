"""Master files: text ↔ records (RFC 1035 §5.1, RFC 2308 §4, RFC 3597 §5).

`parse` goes on after every fault, so that one reading shows them all; `emit` writes what `parse`
and other servers read back to the same octets.
"""

from geodns.dns.zonefile.reader import FAULTS_MAX as FAULTS_MAX
from geodns.dns.zonefile.reader import RECORDS_MAX as RECORDS_MAX
from geodns.dns.zonefile.reader import TEXT_MAX_CHARACTERS as TEXT_MAX_CHARACTERS
from geodns.dns.zonefile.reader import parse as parse
from geodns.dns.zonefile.records import Record as Record
from geodns.dns.zonefile.records import Soa as Soa
from geodns.dns.zonefile.records import ZoneText as ZoneText
from geodns.dns.zonefile.records import emit as emit
