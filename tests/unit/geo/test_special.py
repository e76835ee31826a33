from __future__ import annotations

import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.geo.special import beside_embedded, fold, special_prefix_len

# Written from the IANA registries by hand: first and last address of a block, and its length.
BLOCKS = [
    ("0.0.0.0", "0.255.255.255", 8),
    ("10.0.0.0", "10.255.255.255", 8),
    ("100.64.0.0", "100.127.255.255", 10),
    ("127.0.0.0", "127.255.255.255", 8),
    ("169.254.0.0", "169.254.255.255", 16),
    ("172.16.0.0", "172.31.255.255", 12),
    ("192.0.0.0", "192.0.0.255", 24),
    ("192.0.2.0", "192.0.2.255", 24),
    ("192.31.196.0", "192.31.196.255", 24),
    ("192.52.193.0", "192.52.193.255", 24),
    ("192.88.99.0", "192.88.99.255", 24),
    ("192.168.0.0", "192.168.255.255", 16),
    ("192.175.48.0", "192.175.48.255", 24),
    ("198.18.0.0", "198.19.255.255", 15),
    ("198.51.100.0", "198.51.100.255", 24),
    ("203.0.113.0", "203.0.113.255", 24),
    ("224.0.0.0", "239.255.255.255", 4),
    ("240.0.0.0", "255.255.255.255", 4),
    ("::", "::ffff:ffff", 96),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", 48),
    ("100::", "100::ffff:ffff:ffff:ffff", 64),
    ("100:0:0:1::", "100::1:ffff:ffff:ffff:ffff", 64),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 32),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", 48),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", 20),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 16),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 7),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 10),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 10),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 8),
]
NEIGHBOURS = ["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"]
NEIGHBOURS += ["172.15.255.255", "172.32.0.0", "192.0.1.0", "198.17.255.255", "198.20.0.0"]
NEIGHBOURS += ["223.255.255.255", "192.0.3.0", "2001:200::", "2001:db9::", "2003::", "2a00::1"]
NEIGHBOURS += ["100:0:0:2::", "3fff:1000::", "2620:4f:8001::", "64:ff9b:2::", "5eff::", "fbff::"]


def length(text: str) -> int | None:
    address = ip_address(text)
    return special_prefix_len(int(address), address.version)


@pytest.mark.parametrize(("first", "last", "block"), BLOCKS)
def test_a_block_is_special_from_its_first_to_its_last_address(
    first: str, last: str, block: int
) -> None:
    assert (length(first), length(last)) == (block, block)


@pytest.mark.parametrize("address", NEIGHBOURS)
def test_the_neighbours_of_blocks_are_ordinary(address: str) -> None:
    assert length(address) is None


@pytest.mark.parametrize("address", ["2001:1::1", "2001:2::1", "2001:20::1", "2001:1ff:ffff::"])
def test_protocol_assignments_are_special_beside_teredo(address: str) -> None:
    block = length(address)
    assert block is not None
    shift = 128 - block
    teredo = int(IPv6Address("2001::"))
    assert int(IPv6Address(address)) >> shift != teredo >> shift
    assert block <= 32


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("::ffff:10.1.2.3", 104),
        ("64:ff9b::192.168.1.1", 112),
        ("2002:a00:1::", 24),
        ("::ffff:8.8.8.8", None),
        ("2002:808:808::1", None),
        ("2002::", 24),  # source too short to tell: 0.0.0.0/8
        ("2001::", 128),  # only the whole address tells the client
    ],
)
def test_transition_addresses_are_as_special_as_what_they_embed(
    address: str, block: int | None
) -> None:
    assert length(address) == block


@given(st.integers(0, (1 << 32) - 1))
def test_whole_transition_addresses_fold_to_what_the_standard_library_finds(inner: int) -> None:
    mapped = IPv6Address(0xFFFF << 32 | inner)
    six_to_four = IPv6Address(0x2002 << 112 | inner << 80 | 1)
    teredo = IPv6Address(0x20010000 << 96 | 0x01020304 << 64 | inner)
    assert mapped.ipv4_mapped is not None
    assert six_to_four.sixtofour is not None
    assert teredo.teredo is not None
    assert fold(int(mapped), 128) == (int(mapped.ipv4_mapped), 32, 96)
    assert fold(int(six_to_four), 128) == (int(six_to_four.sixtofour), 32, 16)
    assert fold(int(teredo), 128) == (int(teredo.teredo[1]), 32, 96)


@pytest.mark.parametrize(
    ("network", "prefix_len", "folded"),
    [
        ("::ffff:198.51.100.0", 120, ("198.51.100.0", 24, 96)),
        ("::ffff:0:0", 97, ("0.0.0.0", 1, 96)),
        ("::ffff:0:0", 96, None),
        ("64:ff9b::8.8.0.0", 112, ("8.8.0.0", 16, 96)),
        ("64:ff9b:1::8.8.0.0", 112, None),
        ("2002:808:808::", 56, ("8.8.8.8", 32, 16)),
        ("2002:808:800::", 40, ("8.8.8.0", 24, 16)),
        ("2002:808:8ff::", 40, ("8.8.8.0", 24, 16)),  # bits beyond the source do not count
        ("2002::", 16, None),
        ("2001:0:102:304::", 64, None),
        ("2001:0:102:304::f7f7:f7f7", 127, None),
        ("2a00::", 128, None),
    ],
)
def test_a_network_folds_as_far_as_it_covers_embedded_bits(
    network: str, prefix_len: int, folded: tuple[str, int, int] | None
) -> None:
    found = fold(int(IPv6Address(network)), prefix_len)
    assert found == (folded and (int(IPv4Address(folded[0])), *folded[1:]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("::5:0:0", 81), ("64:ff9b::1:0:0", 96), ("64:ff9b:0:8000::", 49), ("::fffe:0:0", 96)],
)
def test_what_lies_beside_embedded_addresses_has_a_prefix_without_them(
    text: str, expected: int
) -> None:
    assert special_prefix_len(int(IPv6Address(text)), 6) is None
    assert beside_embedded(int(IPv6Address(text))) == expected


def test_what_workers_import_from_here_brings_no_numpy() -> None:
    code = (
        "import sys, geodns.geo.special, geodns.geo.scope, geodns.geo.distance\n"
        "sys.exit('numpy' in sys.modules or 'maxminddb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
