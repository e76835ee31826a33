"""Which addresses may be probed, whatever they are spelled or wrapped like."""

from __future__ import annotations

import pytest

from geodns.model.reach import forbidden, literal, unusual

METADATA = "169.254.169.254"


@pytest.mark.parametrize(
    "address",
    [
        METADATA,
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00::",
        "2001:0:a9fe:a9fe::",
        "2001:0:102:304:0:0:5601:5601",
        "2001:db8::5efe:a9fe:a9fe",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "::ffff:0.0.0.0",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
def test_no_spelling_of_a_forbidden_address_may_be_probed(address: str) -> None:
    assert forbidden(address)


@pytest.mark.parametrize(
    ("address", "pointed_out"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("192.168.0.1", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("192.0.2.1", False),
        ("2001:db8::1", False),
        ("8.8.8.8", False),
        ("2606:4700::1111", False),
        ("64:ff9b::808:808", False),
    ],
)
def test_other_addresses_may_be_and_private_ones_are_pointed_out(
    address: str, pointed_out: bool
) -> None:
    assert forbidden(address) is None
    assert (unusual(address) is not None) is pointed_out


def test_the_reason_names_what_an_address_means() -> None:
    assert forbidden("64:ff9b::a9fe:a9fe") == (
        f"64:ff9b::a9fe:a9fe means {METADATA}: a cloud's metadata service"
    )


@pytest.mark.parametrize(
    "name",
    ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.43518", "169.254.169.254."],
)
def test_numbers_that_resolvers_take_for_an_address_are_one(name: str) -> None:
    assert literal(name) == METADATA


@pytest.mark.parametrize("name", ["www.example.com", "1e100.net", "1.example", "256.256.256.256"])
def test_ordinary_names_are_none(name: str) -> None:
    assert literal(name) is None
