"""RFC 8945: TSIG, by keys that this server does not have."""

from __future__ import annotations

import struct

import dns.message
import dns.rcode
import dns.tsig
import pytest
from support.lab import Lab, question

KEY = dns.tsig.Key("who.knows.invalid.", b"secret of another", "hmac-sha256")
OWNER = b"\3who\5knows\7invalid\0"
RECORD_OCTETS = 10


def signed(name: str = "mail.example.test", **options: object) -> bytes:
    query = question(name, **options)  # type: ignore[arg-type]
    query.use_tsig(KEY)
    return query.to_wire()


def tsig_at(packet: bytes) -> int:
    return packet.rindex(OWNER)


@pytest.mark.parametrize("edns", [0, False])
@pytest.mark.parametrize("tcp", [True, False])
def test_section_5_2_1_an_unknown_key_is_notauth_and_badkey(
    lab: Lab, edns: int | bool, tcp: bool
) -> None:
    octets = lab.raw(signed(edns=edns), tcp=tcp) or b""
    assert octets[3] & 15 == dns.rcode.NOTAUTH
    assert octets[6:8] == b"\0\0"
    assert (b"\0\0\x29" in octets) is (edns == 0 and edns is not False)
    with pytest.raises(dns.tsig.PeerBadKey):
        dns.message.from_wire(octets, keyring={KEY.name: KEY}, request_mac=b"")


def test_section_5_3_2_the_reply_to_an_unknown_key_is_unsigned(lab: Lab) -> None:
    packet = signed()
    octets = lab.raw(packet) or b""
    at = tsig_at(octets) + len(OWNER)
    assert struct.unpack_from(">HHI", octets, at) == (250, 255, 0)
    rdata = octets[at + RECORD_OCTETS :]
    algorithm = b"\x0bhmac-sha256\0"
    assert rdata.startswith(algorithm)
    *_, fudge, mac_octets, original_id, error, other = struct.unpack(
        ">6sHHHHH", rdata[len(algorithm) :]
    )
    assert (mac_octets, error, other) == (0, 17, 0)
    assert (fudge, original_id) == (300, int.from_bytes(packet[:2], "big"))


def test_section_5_2_a_tsig_cut_anywhere_is_malformed(lab: Lab) -> None:
    packet = signed()
    at = tsig_at(packet) + len(OWNER)
    rdata = packet[at + RECORD_OCTETS :]
    for size in range(len(rdata)):
        length = struct.pack(">H", size)
        octets = lab.raw(packet[: at + 8] + length + rdata[:size]) or b""
        assert octets[3] & 15 == dns.rcode.FORMERR, size
    octets = lab.raw(packet[: at + 8] + struct.pack(">H", len(rdata) + 1) + rdata + b"\0") or b""
    assert octets[3] & 15 == dns.rcode.FORMERR


@pytest.mark.parametrize("field", [b"\0\xfa\0\1\0\0\0\0", b"\0\xfa\0\xff\0\0\0\1"])
def test_section_4_2_class_is_any_and_ttl_is_0(lab: Lab, field: bytes) -> None:
    packet = bytearray(signed())
    at = tsig_at(packet) + len(OWNER)
    packet[at : at + 8] = field
    octets = lab.raw(bytes(packet)) or b""
    assert octets[3] & 15 == dns.rcode.FORMERR


def test_section_5_3_1_a_tsig_too_long_for_plain_udp_is_left_out(lab: Lab) -> None:
    long = ".".join(["k" * 63] * 3)
    query = question(f"{long}.{'m' * 40}.example.test")
    query.use_tsig(dns.tsig.Key(f"{long}.{'n' * 50}.", b"secret of another", "hmac-sha256"))
    octets = lab.raw(query.to_wire()) or b""
    assert octets[3] & 15 == dns.rcode.NOTAUTH
    assert len(octets) <= 512
    assert dns.message.from_wire(octets).edns == 0
