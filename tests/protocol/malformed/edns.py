"""EDNS: the OPT record itself, and the options in it but for client subnet and cookie."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .case import BADVERS, FORMERR, NOERROR, SILENCE, Case, answered, case, malformed
from .octets import (
    CHAIN,
    DAU,
    DO,
    ECS,
    EDE,
    EXPIRE,
    KEEPALIVE,
    KEY_TAG,
    NSID,
    PADDING,
    QUESTION,
    TXT,
    ZONE,
    header,
    opt,
    option,
    query,
    rr,
)

RECORD, PLACE, OPTIONS = (f"RFC 6891 section {s}" for s in ("6.1.1", "6.1.2", "6.1.2"))
VERSIONS = "RFC 6891 section 6.1.3"
UNKNOWN = (0, 100, 2053, 4242, 26946, 65001, 65534, 65535)
"""Option codes that mean nothing in a query."""


def cases() -> Iterator[Case]:
    yield from _places()
    yield from _versions()
    yield from _fields()
    yield from _payloads()
    yield from _lengths()
    yield from _unknown_options()
    yield from _known_options()


def _places() -> Iterator[Case]:
    lax = (SILENCE, NOERROR)
    two = {
        "two OPT": query(opt(), opt()),
        "three OPT": query(opt(), opt(), opt()),
        "two OPT, a record between": query(opt(), rr(), opt()),
        "two OPT of different payloads": query(opt(payload=512), opt(payload=4096)),
        "two OPT, the second of version 1": query(opt(), opt(version=1)),
    }
    for name, packet in two.items():
        yield malformed(name, RECORD, packet, opt=True)
    yield case(
        "two OPT, both of version 1",
        RECORD,
        query(opt(version=1), opt(version=1)),
        {FORMERR, BADVERS},
        opt=True,
    )
    yield malformed("OPT owned by a name", PLACE, query(opt(owner=b"\1x\0")), lax)
    yield malformed("OPT owned by the question", PLACE, query(opt(owner=b"\xc0\x0c")), lax)
    to_root = (0xC000 | 12 + len(QUESTION) - 5).to_bytes(2, "big")
    # A pointer to a root label spells the root, though nobody would.
    yield case(
        "OPT owned by a pointer to the root", PLACE, query(opt(owner=to_root)), {FORMERR, NOERROR}
    )
    yield malformed("OPT as answer", RECORD, header(an=1) + QUESTION + opt(), lax)
    yield malformed("OPT as authority", RECORD, header(ns=1) + QUESTION + opt(), lax)
    yield malformed(
        "OPT as authority and additional", RECORD, header(ns=1, ar=1) + QUESTION + opt() * 2
    )
    yield answered("OPT before another record", RECORD, query(opt(), rr()), opt=True)
    yield answered("OPT behind another record", RECORD, query(rr(), opt()), opt=True)
    yield answered("OPT amid ten others", RECORD, query(*[rr()] * 5, opt(), *[rr()] * 5), opt=True)
    for size in range(1, 11):
        yield malformed(f"OPT cut to {size} octets", PLACE, header(ar=1) + QUESTION + opt()[:size])


def _versions() -> Iterator[Case]:
    for version in (1, 2, 3, 7, 15, 16, 63, 64, 100, 127, 128, 200, 254, 255):
        packet = query(opt(version=version))
        yield case(f"version {version}", VERSIONS, packet, {BADVERS}, opt=True)
    due = {
        "an unknown option": query(opt(option(100), version=1)),
        "DO": query(opt(version=1, flags=DO)),
        "unknown flags": query(opt(version=1, flags=0x7FFF)),
        "NSID": query(opt(option(NSID), version=1)),
        "a small payload": query(opt(version=1, payload=0)),
        "an unknown type": query(opt(version=1), qtype=65280),
        "a name of nobody": query(opt(version=1), name=b"\3org\0"),
        "another class": query(opt(version=1), qclass=4),
        "an upper rcode": query(opt(version=1, rcode=255)),
    }
    for shape, packet in due.items():
        yield case(
            f"version 1 and {shape}", VERSIONS, packet, {BADVERS}, opt=True, unwanted=UNKNOWN
        )
    # What options look like in version 1 is not known.
    packet = query(opt(b"\0", version=1))
    yield case("version 1 and half an option", VERSIONS, packet, {BADVERS, FORMERR}, opt=None)
    yield malformed("version 1, beyond the end", VERSIONS, query(opt(version=1, rdlength=9)))


def _fields() -> Iterator[Case]:
    source = "RFC 6891 section 6.1.4"
    for bit in range(15):
        packet = query(opt(flags=1 << bit))
        yield answered(f"flag {1 << bit:#06x}", source, packet, opt=True)
    yield answered("every unknown flag", source, query(opt(flags=0x7FFF)), opt=True)
    yield answered("every flag", source, query(opt(flags=0xFFFF)), opt=True)
    yield answered("DO", "RFC 3225 section 3", query(opt(flags=DO)), opt=True)
    for rcode in (1, 255):
        packet = query(opt(rcode=rcode))
        yield answered(f"upper rcode {rcode}", VERSIONS, packet, opt=True)


def _payloads() -> Iterator[Case]:
    source = "RFC 6891 section 6.2.3"
    big, huge = b"\3big" + ZONE, b"\4huge" + ZONE
    for payload in (0, 1, 511, 512, 513, 1220, 1232, 1452, 4096, 65535):
        allowed = max(payload, 512)
        yield answered(
            f"payload {payload}",
            source,
            query(opt(payload=payload)),
            opt=True,
            limit=allowed,
            tcp=False,
        )
        packet = query(opt(payload=payload), name=big, qtype=TXT)
        yield answered(
            f"payload {payload} for 800 octets",
            source,
            packet,
            opt=True,
            limit=allowed,
            tc=payload < 800,
            tcp=False,
        )
    for payload in (512, 1232):
        packet = query(opt(payload=payload), name=huge, qtype=TXT)
        yield answered(
            f"payload {payload} for 3 kB",
            source,
            packet,
            opt=True,
            limit=payload,
            tc=True,
            tcp=False,
        )
    packet = query(name=big, qtype=TXT)
    yield answered(
        "no EDNS for 800 octets",
        "RFC 1035 section 4.2.1",
        packet,
        opt=False,
        limit=512,
        tc=True,
        tcp=False,
    )
    packet = query(opt(payload=512), name=huge, qtype=TXT)
    yield answered(
        "payload 512 over TCP", "RFC 6891 section 6.2.6", packet, opt=True, tc=False, tcp=True
    )


def _lengths() -> Iterator[Case]:
    for size in (1, 2, 3, 4, 255, 256, 0xFFFF):
        yield malformed(f"OPT overruns by {size}", PLACE, query(opt(rdlength=size)))
    for size in (0, 1, 3):
        packet = query(opt(option(65001), rdlength=size))
        yield malformed(f"OPT says {size}, holds 4", PLACE, packet, (SILENCE, NOERROR))
    lies = {
        "half a code": b"\xfd",
        "only a code": b"\xfd\xe9",
        "a code and half a length": b"\xfd\xe9\0",
        "one octet less than said": option(65001, b"abc", 4),
        "none of 65535": option(65001, b"", 0xFFFF),
        "none of 1": option(65001, b"", 1),
        "less than said, behind a good one": option(65002, b"abc") + option(65001, b"", 9),
        "three octets behind a good one": option(65002, b"abc") + b"\0\0\0",
        "NSID that overruns": option(NSID, b"", 2),
        "ECS that overruns": option(ECS, b"\0\1\x18\0\1\2", 7),
        "keepalive that overruns": option(KEEPALIVE, b"", 2),
    }
    for name, octets in lies.items():
        # RFC 6891 section 7: this FORMERR has OPT, which says that EDNS is known here.
        yield malformed(f"option: {name}", OPTIONS, query(opt(octets)), opt=True)
        behind = query(opt(octets), rr())
        yield malformed(f"option: {name}; then a record", OPTIONS, behind, opt=True)


def _unknown_options() -> Iterator[Case]:
    def ignored(name: str, *options: bytes) -> Case:
        return answered(name, OPTIONS, query(opt(*options)), opt=True, unwanted=UNKNOWN)

    for code in UNKNOWN:
        yield ignored(f"option {code}", option(code))
        yield ignored(f"option {code} with data", option(code, b"data"))
    yield ignored("an option twice", option(65001, b"a"), option(65001, b"b"))
    yield ignored("a hundred options", *[option(65001)] * 100)
    yield ignored("all unknown options", *map(option, UNKNOWN))
    yield ignored("an option of 1000 octets", option(65001, bytes(1000)))
    random_ = random.Random(9018)
    yield ignored("an option of random octets", option(65001, random_.randbytes(300)))


def _known_options() -> Iterator[Case]:
    def ignored(name: str, source: str, data: bytes, **more: object) -> Case:
        return answered(name, source, query(opt(data)), opt=True, **more)

    yield ignored("NSID", "RFC 5001 section 2.1", option(NSID))
    yield ignored("NSID with data", "RFC 5001 section 2.1", option(NSID, b"who"))
    yield ignored("NSID twice", "RFC 5001 section 2.1", option(NSID) * 2)
    source = "RFC 7828 section 3.2.1"
    for data in (b"", b"\0\x64"):
        name = f"keepalive of {len(data)} octets over UDP"
        yield ignored(name, source, option(KEEPALIVE, data), unwanted={KEEPALIVE}, tcp=False)
    yield ignored("keepalive over TCP", source, option(KEEPALIVE), tcp=True)
    packet = query(opt(option(KEEPALIVE, b"\0\x64")))
    yield case(
        "keepalive with a time over TCP", source, packet, {NOERROR, FORMERR}, opt=True, tcp=True
    )
    for size in (0, 1, 128, 400):
        name = f"padding of {size}"
        yield ignored(name, "RFC 7830 section 3", option(PADDING, bytes(size)))
    yield ignored("padding that is not zero", "RFC 7830 section 3", option(PADDING, b"\xff" * 20))
    yield ignored("padding twice", "RFC 7830 section 3", option(PADDING, bytes(9)) * 2)
    for size in (2, 9):
        name = f"extended error of {size} octets"
        yield ignored(name, "RFC 8914 section 2", option(EDE, bytes(size)), unwanted={EDE})
    either = {NOERROR, FORMERR}  # what has meaning elsewhere, ill formed
    for size in (0, 1):
        packet = query(opt(option(EDE, bytes(size))))
        yield case(
            f"extended error of {size} octets", "RFC 8914 section 2", packet, either, opt=True
        )
    yield ignored("chain", "RFC 7901 section 4", option(CHAIN, ZONE))
    yield ignored("chain to nowhere", "RFC 7901 section 4", option(CHAIN, b"\xc0\x0c"))
    yield ignored("key tag", "RFC 8145 section 4.1", option(KEY_TAG, b"\x4a\x5c"))
    packet = query(opt(option(KEY_TAG, b"\x4a")))
    yield case("key tag of odd length", "RFC 8145 section 4.1", packet, either, opt=True)
    yield ignored("expire", "RFC 7314 section 2", option(EXPIRE))
    yield ignored("expire with a time", "RFC 7314 section 2", option(EXPIRE, bytes(4)))
    for code in (DAU, DAU + 1, DAU + 2):
        yield ignored(f"algorithms {code}", "RFC 6975 section 3", option(code, b"\x08\x0d"))
    many = option(NSID), option(100), option(EXPIRE), option(PADDING, bytes(7))
    yield answered("several options", "RFC 8906 section 8.2.8", query(opt(*many)), opt=True)
