"""Octets of other protocols, and patterns, that reach port 53 all the same."""

from __future__ import annotations

from collections.abc import Iterator

from .case import FORMERR, NOERROR, NOTIMP, REFUSED, SILENCE, Case, case
from .octets import header, query

SOURCE = "RFC 1035 section 4.1.1"


def cases() -> Iterator[Case]:
    for octet in range(0, 256, 17):
        yield _by_header(f"512 times {octet:#04x}", bytes([octet]) * 512)
    for name, octets in OTHERS.items():
        yield _by_header(name, octets)
    yield _by_header("512 octets counting up", bytes(range(256)) * 2)
    yield _by_header("512 octets counting down", bytes(range(255, -1, -1)) * 2)
    yield _by_header("a header and zeros", header() + bytes(500))
    yield _by_header("a TCP message over UDP", len(query()).to_bytes(2, "big") + query())
    netbios = query(name=b"\x20CK" + b"A" * 30 + b"\0", qtype=0x21, flags=0x10)
    yield case("NetBIOS", SOURCE, netbios, {REFUSED})
    yield _by_header("a query twice", query() * 2)


def _by_header(name: str, packet: bytes) -> Case:
    """What the header alone settles: nothing for a reply, NOTIMP for another opcode."""
    opcode = packet[2] >> 3 & 15
    if packet[2] & 0x80:
        return case(name, SOURCE, packet, {SILENCE})
    if opcode in (4, 5):
        return case(name, SOURCE, packet, {NOTIMP, FORMERR, REFUSED}, {SILENCE})
    if opcode:
        return case(name, SOURCE, packet, {NOTIMP}, {FORMERR, REFUSED, SILENCE})
    lax = {SILENCE, NOERROR, REFUSED}  # who does not look behind the question
    return case(name, SOURCE, packet, {FORMERR}, lax)


OTHERS = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n",
    "SIP": b"OPTIONS sip:a@example.test SIP/2.0\r\n\r\n",
    "SSDP": b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303") + bytes(range(160)),
    "QUIC": bytes.fromhex("c300000001088394c8f03e5157080000449e") + bytes(1180),
    "NTP": b"\x23" + bytes(47),
    "NTP monlist": bytes.fromhex("1700032a") + bytes(4) + bytes(40),
    "SNMP": bytes.fromhex("302602010104067075626c6963a019020404b0c9a5")
    + bytes.fromhex("020100020100300b300906052b060102010500"),
    "memcached": b"\0\0\0\0\0\1\0\0stats\r\n",
    "STUN": bytes.fromhex("000100002112a442") + bytes(range(12)),
    "RADIUS": bytes.fromhex("01000014") + bytes(16),
    "syslog": b"<34>1 2026-01-01T00:00:00Z host app - - - hello",
    "TFTP": b"\0\1file\0octet\0",
    "mDNS question": header(2) + b"\x05_http\x04_tcp\x05local\0\0\x0c\x80\1" * 2,
    "Wake-on-LAN": b"\xff" * 6 + bytes.fromhex("0123456789ab") * 16,
    "Bittorrent": b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
    "Minecraft": bytes.fromhex("fefd0900000001") + bytes(8),
    "Steam": b"\xff\xff\xff\xffTSource Engine Query\0",
}  # fmt: skip
