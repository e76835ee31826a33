"""Client subnets (RFC 7871) and cookies (RFC 7873), well and ill formed."""

from __future__ import annotations

from collections.abc import Iterator

from .case import FORMERR, NOERROR, Case, answered, case, malformed
from .octets import CLIENT_COOKIE, COOKIE, ECS, NSID, ecs, opt, option, query

SUBNET, COOKIES = "RFC 7871 section 6", "RFC 7873 section 5.2.2"
V6 = bytes.fromhex("20010db8000000000000000000000000")


def cases() -> Iterator[Case]:
    yield from _subnets()
    yield from _bad_subnets()
    yield from _cookies()


def _subnets() -> Iterator[Case]:
    good = {
        "IPv4 /0": ecs(1, 0, 0, b""),
        "IPv6 /0": ecs(2, 0, 0, b""),
        "IPv4 /1": ecs(1, 1, 0, b"\x80"),
        "IPv4 /8": ecs(1, 8, 0, b"\1"),
        "IPv4 /20": ecs(1, 20, 0, b"\1\2\x30"),
        "IPv4 /24": ecs(),
        "IPv4 /25": ecs(1, 25, 0, b"\1\2\3\x80"),
        "IPv4 /32": ecs(1, 32, 0, b"\1\2\3\4"),
        "IPv6 /32": ecs(2, 32, 0, V6[:4]),
        "IPv6 /56": ecs(2, 56, 0, V6[:7]),
        "IPv6 /128": ecs(2, 128, 0, V6),
        "private": ecs(1, 24, 0, b"\x0a\1\2"),
        "loopback": ecs(1, 32, 0, b"\x7f\0\0\1"),
        "multicast": ecs(1, 24, 0, b"\xe0\0\0"),
        "mapped": ecs(2, 128, 0, bytes(10) + b"\xff\xff\1\2\3\4"),
        "6to4": ecs(2, 48, 0, b"\x20\2\1\2\3\4"),
    }
    for name, octets in good.items():
        yield answered(f"subnet {name}", SUBNET, query(opt(octets)), opt=True)
        yield answered(
            f"subnet {name} behind NSID", SUBNET, query(opt(option(NSID), octets)), opt=True
        )
    yield answered(
        "subnet and cookie", SUBNET, query(opt(ecs(), option(COOKIE, CLIENT_COOKIE))), opt=True
    )
    # An address of no octets is neither too short nor too long in any family.
    packet = query(opt(ecs(3, 0, 0, b"")))
    yield case("subnet of family 3, all zero", SUBNET, packet, {NOERROR, FORMERR}, opt=True)
    # dig +subnet=0 sends it so.
    yield case(
        "subnet of family 0, all zero",
        SUBNET,
        query(opt(ecs(0, 0, 0, b""))),
        {NOERROR, FORMERR},
        opt=True,
    )


def _bad_subnets() -> Iterator[Case]:
    bad = {
        "empty": option(ECS),
        "of 1 octet": option(ECS, b"\0"),
        "of 2 octets": option(ECS, b"\0\1"),
        "of 3 octets": option(ECS, b"\0\1\0"),
        "of family 0 with a source": ecs(0),
        "of family 3": ecs(3),
        "of family 16": ecs(16),
        "of family 256": ecs(256),
        "of family 65535": ecs(0xFFFF),
        "IPv4 /33": ecs(1, 33, 0, b"\1\2\3\4\0"),
        "IPv4 /64": ecs(1, 64, 0, bytes(8)),
        "IPv4 /255": ecs(1, 255, 0, bytes(32)),
        "IPv6 /129": ecs(2, 129, 0, V6 + b"\0"),
        "IPv6 /255": ecs(2, 255, 0, bytes(32)),
        "with scope 1": ecs(1, 24, 1),
        "with scope 24": ecs(1, 24, 24),
        "with scope 255": ecs(1, 24, 255),
        "IPv6 with scope 48": ecs(2, 48, 48, V6[:6]),
        "one octet short": ecs(1, 24, 0, b"\1\2"),
        "without address": ecs(1, 24, 0, b""),
        "one octet too long": ecs(1, 24, 0, b"\1\2\3\0"),
        "whole address for /24": ecs(1, 24, 0, b"\1\2\3\4"),
        "an address for /0": ecs(1, 0, 0, b"\0"),
        "IPv6 one octet short": ecs(2, 56, 0, V6[:6]),
        "IPv6 one octet too long": ecs(2, 56, 0, V6[:8]),
        "bits beyond /1": ecs(1, 1, 0, b"\x40"),
        "bits beyond /20": ecs(1, 20, 0, b"\1\2\x38"),
        "bits beyond /23": ecs(1, 23, 0, b"\1\2\3"),
        "bits beyond /31": ecs(1, 31, 0, b"\1\2\3\1"),
        "bits beyond IPv6 /41": ecs(2, 41, 0, V6[:5] + b"\x01"),
        "twice": ecs() * 2,
        "twice, different": ecs() + ecs(1, 16, 0, b"\1\2"),
        "twice, the second bad": ecs() + ecs(9),
        "behind a good option": option(NSID) + ecs(3),
    }
    for name, octets in bad.items():
        # Who does not do client subnets takes it as any unknown option.
        yield malformed(f"subnet {name}", SUBNET, query(opt(octets)), (NOERROR,), opt=True)


def _cookies() -> Iterator[Case]:
    source = "RFC 7873 section 5.2"
    for size in range(42):
        packet = query(opt(option(COOKIE, (CLIENT_COOKIE * 6)[:size])))
        if size == 8 or 16 <= size <= 40:
            # BADCOOKIE only where a valid one is demanded (section 5.2.3).
            name = f"cookie of {size} octets"
            yield case(name, source, packet, {NOERROR}, {23}, data=True, opt=True)
        else:
            yield malformed(f"cookie of {size} octets", COOKIES, packet, (NOERROR,), opt=True)
    for size in (64, 255, 400):
        packet = query(opt(option(COOKIE, bytes(size))))
        yield malformed(f"cookie of {size} octets", COOKIES, packet, (NOERROR,), opt=True)
    good = option(COOKIE, CLIENT_COOKIE)
    packet = query(opt(good, option(COOKIE, bytes(8))))
    yield answered("two cookies", source, packet, opt=True)
    # Section 5.2: only the first counts.
    packet = query(opt(good, option(COOKIE, b"short")))
    yield case("two cookies, the second bad", source, packet, {NOERROR, FORMERR}, opt=True)
    packet = query(opt(option(COOKIE, b"short"), good))
    yield malformed("two cookies, the first bad", source, packet, (NOERROR,), opt=True)
    forged = CLIENT_COOKIE + b"\1\0\0\0" + bytes(12)
    yield case(
        "forged server cookie",
        source,
        query(opt(option(COOKIE, forged))),
        {NOERROR},
        {23},
        data=True,
        opt=True,
    )
    packet = query(opt(good, version=1))
    yield case("cookie and version 1", "RFC 6891 section 6.1.3", packet, {16}, opt=True)
