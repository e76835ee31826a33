"""Rare replies over any octets, read by dnspython."""

from __future__ import annotations

import random
import struct
import subprocess
import sys

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.dns import message

BINARY_NAME = dns.name.Name([b"\x00" * 63, b"\xff." * 31, b"\\@" * 31, b"\x01" * 58, b""])


def query(
    name: str | dns.name.Name = "WwW.example.test.", rtype: str = "TXT", **options: object
) -> bytes:
    asked = dns.message.make_query(name, rtype, id=0x1234, **options)  # type: ignore[arg-type]
    return asked.to_wire()


def flags_of(reply: bytes) -> int:
    return int.from_bytes(reply[2:4], "big")


def read(reply: bytes | None) -> dns.message.Message:
    assert reply is not None
    return dns.message.from_wire(reply)


# error_reply


def test_an_error_echoes_id_opcode_rd_and_the_question_as_written() -> None:
    asked = query()
    reply = message.error_reply(asked, message.REFUSED)
    assert reply == asked[:2] + b"\x81\x05" + asked[4:]
    assert message.error_reply(asked[:2] + b"\x20\x00" + asked[4:], message.NOTIMP) == (
        asked[:2] + b"\xa0\x04" + asked[4:]
    )


def test_an_error_clears_every_other_flag() -> None:
    asked = query()
    reply = message.error_reply(asked[:2] + b"\x7f\xff" + asked[4:], message.SERVFAIL)
    assert reply is not None
    assert flags_of(reply) == message.QR | message.OPCODE_MASK | message.RD | message.SERVFAIL


@pytest.mark.parametrize(
    "question",
    [
        b"",
        b"\x03www",
        b"\x03www\x00",
        b"\x03www\x00\x00\x01\x00",
        b"\xc0\x00\x00\x01\x00\x01",
        b"\x03www\xc0\x00\x00\x01\x00\x01",
        b"\xc0\x0c\x00\x01\x00\x01",
        b"\x40" + b"x" * 64 + b"\x00\x00\x01\x00\x01",
        (b"\x3f" + b"x" * 63) * 4 + b"\x00\x00\x01\x00\x01",
    ],
)
def test_a_question_that_cannot_be_read_is_left_out(question: bytes) -> None:
    asked = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + question
    assert message.error_reply(asked, message.FORMERR) == b"\x12\x34\x81\x01" + bytes(8)
    assert message.text_reply(asked, ["x"]) == b"\x12\x34\x81\x01" + bytes(8)


@pytest.mark.parametrize("count", [b"\x00\x00", b"\x00\x02", b"\xff\xff"])
def test_only_one_question_is_echoed(count: bytes) -> None:
    asked = query()
    reply = message.error_reply(asked[:4] + count + asked[6:], message.FORMERR)
    assert reply == b"\x12\x34\x81\x01" + bytes(8)


def test_the_longest_name_is_echoed() -> None:
    asked = query(BINARY_NAME)
    assert message.error_reply(asked, message.REFUSED) == asked[:2] + b"\x81\x05" + asked[4:]


@pytest.mark.parametrize("asked", [b"", b"\x12\x34", bytes(11), b"\x12\x34\x80" + bytes(20)])
def test_less_than_a_header_and_replies_are_not_answered(asked: bytes) -> None:
    assert message.error_reply(asked, message.FORMERR) is None
    assert message.text_reply(asked, ["x"]) is None


def test_an_answer_is_not_answered() -> None:
    reply = message.error_reply(query(), message.REFUSED)
    assert reply is not None
    assert message.error_reply(reply, message.REFUSED) is None


def test_an_extended_rcode_stands_in_opt() -> None:
    reply = read(message.error_reply(query(use_edns=1), message.BADVERS))
    assert reply.rcode() == dns.rcode.BADVERS
    assert (reply.edns, reply.payload) == (0, 1232)
    assert read(message.error_reply(query(use_edns=0), dns.rcode.BADCOOKIE)).rcode() == 23


@pytest.mark.parametrize("want_dnssec", [False, True])
def test_opt_is_added_on_demand_and_do_is_copied(want_dnssec: bool) -> None:
    asked = query(want_dnssec=want_dnssec, use_edns=0)
    reply = read(message.error_reply(asked, message.REFUSED, edns=True))
    assert reply.edns == 0
    assert bool(reply.ednsflags & dns.flags.DO) == want_dnssec
    assert read(message.error_reply(asked, message.REFUSED)).edns == -1


def test_opt_needs_no_readable_question() -> None:
    reply = read(message.error_reply(bytes(12), message.FORMERR, edns=True))
    assert (reply.edns, reply.question) == (0, [])


def test_ten_thousand_random_octet_strings_get_a_readable_reply_or_none() -> None:
    rng = random.Random(2)
    heads = (b"", query(use_edns=0), query()[:12])
    for round_number in range(10_000):
        asked = heads[round_number % 3] + rng.randbytes(rng.randrange(40))
        reply = message.error_reply(asked, rng.randrange(24), bool(rng.randrange(2)))
        if reply is not None:
            assert dns.message.from_wire(reply).id == int.from_bytes(asked[:2], "big")


@given(st.binary(max_size=60), st.lists(st.text(max_size=3), max_size=3))
def test_any_octets_behind_a_question_leave_text_replies_whole(
    tail: bytes, texts: list[str]
) -> None:
    asked = query()[:6] + tail[:6].ljust(6, b"\x00") + query()[12:] + tail
    reply = read(message.text_reply(asked, texts))
    assert len(reply.answer) == bool(texts)


@given(st.binary(max_size=60))
def test_text_replies_never_raise(asked: bytes) -> None:
    message.text_reply(asked, ["x"])


# text_reply


def test_texts_are_one_authoritative_rrset_in_order() -> None:
    reply = read(message.text_reply(query(), ["01 first", "02 second"], ttl=7))
    (rrset,) = reply.answer
    assert [rdata.strings for rdata in rrset] == [(b"01 first",), (b"02 second",)]
    assert (rrset.ttl, rrset.rdclass) == (7, dns.rdataclass.IN)
    assert reply.flags == dns.flags.QR | dns.flags.AA | dns.flags.RD
    assert (reply.rcode(), reply.edns) == (dns.rcode.NOERROR, -1)


def test_the_reply_is_one_to_the_query() -> None:
    asked = query()
    reply = message.text_reply(asked, ["x"])
    assert reply is not None
    assert dns.message.from_wire(asked).is_response(read(reply))
    assert reply[12 : len(asked)] == asked[12:]  # the question octet by octet, case kept


def test_a_name_of_any_octets_is_answered() -> None:
    reply = read(message.text_reply(query(BINARY_NAME), ["x"]))
    assert reply.answer[0].name == BINARY_NAME


def test_chaos_answers_stand_in_class_chaos() -> None:
    asked = query("version.bind.", "TXT", rdclass="CH")
    reply = read(message.text_reply(asked, ["geodns"], rclass=message.CLASS_CH))
    assert reply.answer[0].to_text() == 'version.bind. 0 CH TXT "geodns"'


@pytest.mark.parametrize(
    ("text", "lengths"),
    [("", [0]), ("x", [1]), ("x" * 255, [255]), ("x" * 256, [255, 1]), ("é" * 300, [255, 255, 90])],
)
def test_long_texts_are_split_at_255_octets(text: str, lengths: list[int]) -> None:
    (rdata,) = read(message.text_reply(query(), [text])).answer[0]
    assert [len(string) for string in rdata.strings] == lengths
    assert b"".join(rdata.strings) == text.encode()


def test_equal_texts_are_one_record() -> None:
    reply = message.text_reply(query(), ["x", "x", "y"])
    assert reply is not None
    assert struct.unpack_from("!H", reply, 6) == (2,)  # dnspython would drop the second itself


@pytest.mark.parametrize("want_dnssec", [False, True])
def test_opt_is_answered_with_opt(want_dnssec: bool) -> None:
    cookie = dns.edns.GenericOption(message.OPTION_COOKIE, b"12345678")
    reply = read(
        message.text_reply(query(want_dnssec=want_dnssec, use_edns=0, options=[cookie]), ["x"])
    )
    assert (reply.edns, reply.payload, reply.options) == (0, 1232, ())
    assert bool(reply.ednsflags & dns.flags.DO) == want_dnssec


def test_options_stand_in_opt_and_count_for_the_limit() -> None:
    option = b"\x00\x0a\x00\x08" + b"12345678"
    asked = query(use_edns=0)
    whole = message.text_reply(asked, ["x"], options=option)
    (found,) = read(whole).options
    assert (found.otype, found.to_wire()) == (message.OPTION_COOKIE, b"12345678")
    assert whole is not None
    short = message.text_reply(asked, ["x"], limit=len(whole) - 1, options=option)
    assert (read(short).answer, read(short).options) == ([], (found,))
    assert read(message.text_reply(query(), ["x"], options=option)).edns == -1


def test_opt_is_found_behind_other_records() -> None:
    asked = query(use_edns=0)
    other = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xc0\x00\x02\x01"
    asked = asked[:10] + b"\x00\x02" + asked[12:-11] + other + asked[-11:]
    assert read(message.text_reply(asked, ["x"])).edns == 0


def test_what_is_longer_than_the_limit_is_truncated_whole() -> None:
    asked = query(use_edns=0)
    whole = message.text_reply(asked, ["x" * 200, "y" * 200])
    assert whole is not None
    assert message.text_reply(asked, ["x" * 200, "y" * 200], limit=len(whole)) == whole
    short = message.text_reply(asked, ["x" * 200, "y" * 200], limit=len(whole) - 1)
    assert short is not None
    assert flags_of(short) & message.TC
    reply = dns.message.from_wire(short)
    assert (reply.answer, reply.edns, reply.rcode()) == ([], 0, dns.rcode.NOERROR)


@pytest.mark.parametrize("texts", [["x" * 70_000], [str(n) for n in range(10_000)]])
def test_what_no_message_can_hold_is_truncated(texts: list[str]) -> None:
    short = message.text_reply(query(), texts)
    assert short is not None
    assert flags_of(short) & message.TC
    assert struct.unpack_from("!H", short, 6) == (0,)


# Words


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (message.QR, dns.flags.QR),
        (message.AA, dns.flags.AA),
        (message.TC, dns.flags.TC),
        (message.RD, dns.flags.RD),
        (message.DO, dns.flags.DO),
        (message.NXDOMAIN, dns.rcode.NXDOMAIN),
        (message.NOTIMP, dns.rcode.NOTIMP),
        (message.NOTAUTH, dns.rcode.NOTAUTH),
        (message.CLASS_CH, dns.rdataclass.CH),
        (message.CLASS_ANY, dns.rdataclass.ANY),
        (message.OPTION_NSID, dns.edns.NSID),
        (message.OPTION_ECS, dns.edns.ECS),
        (message.OPTION_COOKIE, dns.edns.COOKIE),
        (message.OPTION_EDE, dns.edns.EDE),
        (message.EDE_OTHER, dns.edns.EDECode.OTHER),
    ],
)
def test_numbers_are_those_of_dnspython(ours: int, theirs: int) -> None:
    assert ours == theirs


def test_the_packet_path_loads_no_dns_library() -> None:
    code = (
        "import sys; import geodns.dns.message, geodns.dns.names, geodns.dns.rrtypes;"
        "print([m for m in sys.modules if m.split('.')[0] in ('dns', 'dnslib')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "[]"
