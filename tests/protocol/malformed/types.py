"""Types and classes that are cut, reserved, meta, unknown, or not for this transport."""

from __future__ import annotations

from collections.abc import Iterator

from .case import (
    FORMERR,
    NOERROR,
    NOTAUTH,
    NOTIMP,
    NXDOMAIN,
    REFUSED,
    SILENCE,
    Case,
    case,
    malformed,
)
from .octets import (
    ANY,
    AXFR,
    CH,
    IXFR,
    NAME,
    QUESTION,
    TXT,
    ZONE,
    header,
    opt,
    query,
    question,
    rr,
    soa,
    tsig,
)

META = {41: "OPT", 249: "TKEY", 250: "TSIG", 253: "MAILB", 254: "MAILA", 128: "first meta"}
TYPES = (3, 4, 10, 12, 13, 24, 30, 32, 38, 39, 43, 46, 47, 48, 50, 51, 59, 64, 65, 99, 103, 127,
         256, 257, 258, 32768, 32769, 65280, 65534, 65535, 1000)  # fmt: skip


def cases() -> Iterator[Case]:
    yield from _types()
    yield from _transfers()
    yield from _classes()
    yield from _signed()


def _types() -> Iterator[Case]:
    unknown = "RFC 8906 section 8.1.2"
    for rtype in TYPES:
        yield case(f"type {rtype}", unknown, query(qtype=rtype), {NOERROR})
    for rtype in (65280, 65535):
        yield case(
            f"type {rtype} with EDNS", unknown, query(opt(), qtype=rtype), {NOERROR}, opt=True
        )
        missing = query(name=b"\1x" + NAME, qtype=rtype)
        yield case(f"type {rtype} of a name that is not", unknown, missing, {NXDOMAIN})
    for rtype, name in META.items():
        # RFC 6895 section 3.1 gives them no meaning as a QTYPE, nor a reply.
        exact = {NOERROR, FORMERR, NOTIMP, REFUSED}
        yield case(f"type {name}", "RFC 6895 section 3.1", query(qtype=rtype), exact)
    reserved = {NOERROR, FORMERR, NOTIMP, REFUSED}
    yield case("type 0", "RFC 6895 section 3.1", query(qtype=0), reserved)
    everything = "RFC 8482 section 4"
    yield case("type ANY", everything, query(qtype=ANY), {NOERROR}, {REFUSED, NOTIMP})
    for size in (1, 2, 3):
        packet = header(ar=1) + QUESTION[:-size] + opt()
        yield malformed(f"question {size} short, then OPT", "RFC 1035 section 4.1.2", packet)


def _transfers() -> Iterator[Case]:
    refusals = {REFUSED, NOTAUTH, NOTIMP}
    source = "RFC 5936 section 4.2"
    axfr = query(name=ZONE, qtype=AXFR)
    yield case("AXFR over UDP", source, axfr, refusals | {FORMERR}, tcp=False)
    yield case("AXFR over TCP", "RFC 5936 section 2.2.1", axfr, refusals, tcp=True)
    yield case(
        "AXFR with EDNS",
        source,
        query(opt(), name=ZONE, qtype=AXFR),
        refusals | {FORMERR},
        opt=True,
    )
    yield case("AXFR of no zone", source, query(qtype=AXFR), refusals | {FORMERR})
    yield case(
        "AXFR of another's zone", source, query(name=b"\3org\0", qtype=AXFR), refusals | {FORMERR}
    )
    source = "RFC 1995 section 3"
    asked = question(ZONE, IXFR)
    yield case("IXFR without SOA", source, header() + asked, {FORMERR} | refusals, {NOERROR})
    yield case("IXFR with SOA", source, header(ns=1) + asked + soa(), refusals, {NOERROR})
    yield case(
        "IXFR with two SOAs",
        source,
        header(ns=2) + asked + soa() * 2,
        refusals | {FORMERR},
        {NOERROR},
    )
    short = header(ns=1) + asked + soa()[:-6]
    yield malformed("IXFR with half a SOA", source, short)
    yield case("IXFR with A", source, header(ns=1) + asked + rr(), refusals | {FORMERR}, {NOERROR})


def _classes() -> Iterator[Case]:
    source = "RFC 1035 section 3.2.4"
    for rclass in (2, 4, 5, 127, 128, 253, 256, 1000, 65280, 65534):
        yield case(f"class {rclass}", source, query(qclass=rclass), {REFUSED}, {FORMERR, NOTIMP})
    yield case("class CH", source, query(qclass=CH), {REFUSED}, {NXDOMAIN, NOTIMP})
    for rclass, name in ((0, "0, reserved"), (254, "NONE"), (65535, "65535, reserved")):
        exact = {REFUSED, FORMERR, NOTIMP}
        yield case(f"class {name}", "RFC 6895 section 3.2", query(qclass=rclass), exact)
    yield case(
        "class ANY",
        "RFC 1035 section 6.2",
        query(qclass=255),
        {NOERROR, REFUSED},
        {FORMERR, NOTIMP},
    )
    for rclass in (2, 254, 65280):
        packet = query(opt(), qclass=rclass)
        yield case(
            f"class {rclass} with EDNS", source, packet, {REFUSED}, {FORMERR, NOTIMP}, opt=True
        )
    chaos = query(name=b"\7version\4bind\0", qtype=TXT, qclass=CH)
    yield case("version.bind CH TXT", "RFC 4892", chaos, {NOERROR, REFUSED}, {NXDOMAIN})
    unknown = query(name=b"\7nothing\4bind\0", qtype=TXT, qclass=CH)
    yield case("nothing.bind CH TXT", "RFC 4892", unknown, {REFUSED, NXDOMAIN}, {NOERROR})


def _signed() -> Iterator[Case]:
    """RFC 8945 section 5.2: the last of the additional section, and by a key one knows."""
    source = "RFC 8945 section 5.2"
    lax = {NOERROR, FORMERR, REFUSED}  # who does not do TSIG need not know it
    yield case("TSIG of an unknown key", "RFC 8945 section 5.2.1", query(tsig()), {NOTAUTH}, lax)
    yield case("TSIG behind OPT", source, query(opt(), tsig()), {NOTAUTH}, lax, opt=True)
    shapes = {
        "TSIG before OPT": query(tsig(), opt()),
        "two TSIG": query(tsig(), tsig()),
        "TSIG and a record": query(tsig(), rr()),
        "TSIG of class IN": query(tsig(rclass=1)),
        "TSIG as authority": header(ns=1) + QUESTION + tsig(),
        "TSIG as answer": header(an=1) + QUESTION + tsig(),
    }
    for name, packet in shapes.items():
        yield malformed(name, source, packet, (SILENCE, NOERROR, NOTAUTH, REFUSED))
    longer = query(tsig(rdlength=200))
    yield malformed("TSIG beyond the end", source, longer)
    empty = query(rr(b"\3key\0", 250, b"", rclass=255))
    yield malformed("empty TSIG", source, empty, (SILENCE, NOERROR, NOTAUTH))
    cut = query(rr(b"\3key\0", 250, b"\x0bhmac-sha256\0\0\0", rclass=255))
    yield malformed("TSIG whose data end early", source, cut, (SILENCE, NOERROR, NOTAUTH))
