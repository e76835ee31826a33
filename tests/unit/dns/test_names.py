"""Names on the wire and in text, with dnspython as the other party."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.dns import names
from geodns.errors import ConfigError

label_octets = st.binary(min_size=1, max_size=63) | st.text("aZ09-_*.@\\", min_size=1).map(
    lambda text: text.encode()[:63]
)


def wire_of(parts: list[bytes]) -> bytes:
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\x00"


wires = st.lists(label_octets, max_size=6).map(wire_of).filter(lambda wire: len(wire) <= 255)


def name(text: str) -> bytes:
    return dns.name.from_text(text).to_wire() or b""


EXAMPLE = name("example.test.")


# Text and wire


@given(wires)
def test_every_name_survives_the_way_through_text(wire: bytes) -> None:
    assert names.from_text(names.to_text(wire)) == wire


@given(wires)
def test_text_is_what_dnspython_writes(wire: bytes) -> None:
    assert names.to_text(wire) == dns.name.from_wire(wire, 0)[0].to_text()


@given(wires)
def test_text_of_dnspython_is_read_as_dnspython_reads_it(wire: bytes) -> None:
    text = dns.name.from_wire(wire, 0)[0].to_text()
    assert names.from_text(text) == name(text)


@given(wires, wires)
def test_relative_text_means_the_same_under_its_origin(wire: bytes, origin: bytes) -> None:
    text = names.to_text(wire, origin)
    assert names.canonical(names.from_text(text, origin)) == names.canonical(wire)


@given(st.lists(label_octets, max_size=2).map(wire_of), st.lists(label_octets, max_size=1))
def test_a_name_under_its_origin_is_written_relative(origin: bytes, left: list[bytes]) -> None:
    text = names.to_text(wire_of(left)[:-1] + origin, origin)
    relative = dns.name.Name([*left]).to_text() if left else "@"
    assert text == relative


@pytest.mark.parametrize(
    ("text", "origin", "wire"),
    [
        ("www.example.test.", None, b"\x03www\x07example\x04test\x00"),
        ("www.example.test", None, b"\x03www\x07example\x04test\x00"),
        ("WwW", EXAMPLE, b"\x03WwW\x07example\x04test\x00"),
        ("www.", EXAMPLE, b"\x03www\x00"),
        ("@", EXAMPLE, EXAMPLE),
        (r"\@", EXAMPLE, b"\x01@" + EXAMPLE),
        (".", EXAMPLE, b"\x00"),
        (r"a\.b.c", None, b"\x03a.b\x01c\x00"),
        (r"a\000b\255", None, b"\x04a\x00b\xff\x00"),
        (r"\087ww", None, b"\x03Www\x00"),
        ("*._tcp", EXAMPLE, b"\x01*\x04_tcp" + EXAMPLE),
        ("x" * 63, None, b"\x3f" + b"x" * 63 + b"\x00"),
    ],
)
def test_from_text_reads_master_file_text(text: str, origin: bytes | None, wire: bytes) -> None:
    assert names.from_text(text, origin) == wire


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "label 1 is empty"),
        ("..", "label 1 is empty"),
        (".example", "label 1 is empty"),
        ("a..b", "label 2 is empty"),
        ("a.b..", "label 3 is empty"),
        ("ok." + "x" * 64, "label 2 has 64 octets; at most 63"),
        (".".join(["x" * 62] * 4 + ["xx"]), "256 octets on the wire, those of its zone included"),
        ("x" * 2000, "2000 characters"),
        (r"a\999", "label 1 has a broken escape"),
        (r"a.b\256", "label 2 has a broken escape"),
        (r"a\12", "broken escape"),
        (r"a\12x", "broken escape"),
        ("a\\", "broken escape"),
        ("a\\\x00", "broken escape"),
        ("a.b c", "label 2 has the character ' '"),
        ("a\tb", "label 1 has the character"),
        ("a\x00b", r"'\x00' unescaped"),
        ("a\nb", "unescaped"),
        ("a;b", "unescaped"),
        ('"a"', "unescaped"),
        ("a(b", "unescaped"),
        ("@", "there is none here"),
        ("bücher.example", "ASCII"),
        ("😀", "ASCII"),
        ("example\u3002test", "ASCII"),
        ("\ud800", "ASCII"),
    ],
)
def test_what_is_no_name_is_refused_in_words(text: str, part: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        names.from_text(text)
    (reason,) = refusal.value.reasons
    assert part in reason.detail
    assert (reason.pointer, reason.code) == ("", "bad_name")
    str(reason).encode()  # nothing in it that could not be sent


def test_a_name_of_255_octets_is_the_longest() -> None:
    text = ".".join(["x" * 62] * 4 + ["x"])
    assert len(names.from_text(text)) == 255
    with pytest.raises(ConfigError, match="256 octets"):
        names.from_text(text + "x")


def test_the_octets_of_the_origin_count() -> None:
    with pytest.raises(ConfigError, match="at most 255"):
        names.from_text("x" * 63, wire_of([b"y" * 63] * 3))


def test_international_names_get_the_hint_to_write_a_labels() -> None:
    with pytest.raises(ConfigError) as refusal:
        names.from_text("bücher.example")
    assert "xn--" in refusal.value.reasons[0].hint


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_is_refused(text: str) -> None:
    for read in (names.from_text, names.from_url, names.mailbox_to_name):
        try:
            wire = read(text)
        except ConfigError:
            continue
        assert len(wire) <= 255
        assert names.from_text(names.to_text(wire)) == wire


@given(st.text("a.\\0129@", max_size=20))
def test_accepted_text_means_what_it_means_to_dnspython(text: str) -> None:
    try:
        wire = names.from_text(text)
    except ConfigError:
        return
    assert wire == name(text)


# The form of the API


@given(wires)
def test_every_name_has_one_spelling_in_urls(wire: bytes) -> None:
    url = names.to_url(wire)
    assert names.from_url(url) == names.canonical(wire)
    assert names.to_url(names.from_url(url)) == url
    assert url == names.to_url(names.canonical(wire))


@given(wires)
def test_urls_need_no_quoting_but_for_the_backslash(wire: bytes) -> None:
    plain = set("abcdefghijklmnopqrstuvwxyz0123456789-_*.\\@")
    assert set(names.to_url(wire)) <= plain


@pytest.mark.parametrize(
    ("wire", "url"),
    [
        (b"\x00", "@"),
        (b"\x03WWW\x02De\x00", "www.de"),
        (b"\x03a/b\x00", r"a\047b"),
        (b"\x01@\x00", r"\064"),
        (b"\x01*\x04_tcp\x00", "*._tcp"),
        (b"\x03a.b\x00", r"a\046b"),
    ],
)
def test_url_form(wire: bytes, url: str) -> None:
    assert names.to_url(wire) == url


def test_owners_in_urls_are_relative_to_their_zone() -> None:
    assert names.to_url(name("WWW.example.test."), EXAMPLE) == "www"
    assert names.to_url(EXAMPLE, EXAMPLE) == "@"
    assert names.from_url("Www", EXAMPLE) == name("www.example.test.")
    assert names.from_url("@", name("Example.TEST.")) == EXAMPLE


def test_an_owner_outside_its_zone_has_no_url() -> None:
    with pytest.raises(ValueError, match=r"other\. is not under example\.test\."):
        names.to_url(name("other."), EXAMPLE)


@pytest.mark.parametrize("text", ["www.example.test.", ".", ""])
def test_urls_have_no_final_dot(text: str) -> None:
    with pytest.raises(ConfigError):
        names.from_url(text)


# Questions


@given(wires)
def test_canonical_lowers_ascii_letters_only(wire: bytes) -> None:
    assert names.canonical(wire) == dns.name.from_wire(wire, 0)[0].canonicalize().to_wire()


@given(wires)
def test_labels_are_those_of_dnspython(wire: bytes) -> None:
    assert [*names.labels(wire), b""] == list(dns.name.from_wire(wire, 0)[0].labels)


@given(wires)
def test_every_label_offset_starts_a_suffix(wire: bytes) -> None:
    suffixes = [wire[offset:] for offset in names.label_offsets(wire)]
    found = dns.name.from_wire(wire, 0)[0]
    assert suffixes == [dns.name.Name(found.labels[n:]).to_wire() for n in range(len(found.labels))]


def test_parent_drops_the_leftmost_label() -> None:
    assert names.parent(name("www.example.test.")) == EXAMPLE
    assert names.parent(name("test.")) == b"\x00"
    with pytest.raises(ValueError, match="root"):
        names.parent(b"\x00")


@given(st.lists(st.sampled_from([b"a", b"A", b"b", b"\x01a", b"c\x01a"]), max_size=4),
       st.lists(st.sampled_from([b"a", b"A", b"b"]), max_size=2))  # fmt: skip
def test_subdomains_are_those_of_dnspython(left: list[bytes], right: list[bytes]) -> None:
    low, high = wire_of(left), wire_of(right)
    theirs = dns.name.from_wire(low, 0)[0].is_subdomain(dns.name.from_wire(high, 0)[0])
    assert names.is_subdomain(low, high) == theirs


def test_octets_that_look_like_a_suffix_are_none() -> None:
    inside = wire_of([b"www\x07example\x04test"])
    assert inside.endswith(EXAMPLE)
    assert not names.is_subdomain(inside, EXAMPLE)


def test_relativize_gives_what_is_left_of_the_origin() -> None:
    assert names.relativize(name("a.b.Example.test."), EXAMPLE) == b"\x01a\x01b"
    assert names.relativize(EXAMPLE, EXAMPLE) == b""
    assert names.relativize(name("test."), EXAMPLE) is None


# Mailboxes


@pytest.mark.parametrize(
    ("mailbox", "text"),
    [
        ("hostmaster@example.com", "hostmaster.example.com."),
        ("first.last@example.com", r"first\.last.example.com."),
        ("a+b@example.com", "a+b.example.com."),
    ],
)
def test_a_mailbox_becomes_a_name_with_the_local_part_as_one_label(mailbox: str, text: str) -> None:
    assert names.mailbox_to_name(mailbox) == name(text)


@pytest.mark.parametrize(
    "mailbox",
    ["", "hostmaster", "@example.com", "a b@example.com", "a@b@example.com", "ä@example.com",
     "a\\@example.com", "x" * 64 + "@example.com", "a@", "a@exa mple.com", "a@" + "x." * 127],
)  # fmt: skip
def test_what_is_no_mailbox_is_refused(mailbox: str) -> None:
    with pytest.raises(ConfigError):
        names.mailbox_to_name(mailbox)


# What is shown back


def test_excerpts_are_short_and_printable() -> None:
    shown = names.excerpt("\x1b[31m\ud800é" + "x" * 10_000)
    assert shown.startswith("\ufffd[31m\ufffdé")
    assert len(shown) == 201
    assert shown.isprintable()
