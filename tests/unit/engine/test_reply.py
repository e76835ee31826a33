"""Replies on the wire: where an owner's name can point into the question."""

from __future__ import annotations

import pytest

from geodns.engine.reply import option, pointed

QNAME = b"\3www\7example\4test\0"


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        (QNAME, b"\xc0\x0c"),
        (b"\7example\4test\0", b"\xc0\x10"),
        (b"\4mail\7example\4test\0", b"\4mail\xc0\x10"),
        (b"\1x\4test\0", b"\1x\xc0\x18"),
        (b"\3www\6abroad\0", b"\3www\6abroad\0"),
        (b"\0", b"\0"),
    ],
)
def test_an_owner_points_as_far_as_the_two_agree(name: bytes, wire: bytes) -> None:
    assert pointed(name, QNAME) == wire


def test_a_label_that_only_ends_alike_is_no_place_to_point_to() -> None:
    # The question's second label holds the octets of the owner's whole name.
    assert pointed(b"\1a\0", b"\3x\1a\0") == b"\1a\0"
    assert pointed(b"\1a\0", b"\4xy\1a\1a\0") == b"\xc0\x11"


def test_an_option_has_code_and_length() -> None:
    assert option(3, b"name") == b"\0\3\0\4name"
