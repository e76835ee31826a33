"""Domain names: text ↔ wire, and the few questions one asks of them.

Inside geodns a name is its uncompressed wire form, ``b"\\x03www\\x07example\\x04test\\x00"``
(RFC 1035 §3.1): it hashes, compares, slices and goes into packets as it is. Every suffix that
starts at one of its `label_offsets` is a name too. Pure Python, so that the packet path loads
no library for it.
"""

from __future__ import annotations

import re

from geodns.errors import ConfigError, Reason

ROOT = b"\x00"
LABEL_MAX_OCTETS = 63  # Source: RFC 1035 §3.1, the two high bits of a length octet are zero.
NAME_MAX_OCTETS = 255  # Source: RFC 1035 §3.1, length octets and the root's included.

# No name can need more: each of at most 254 octets as \DDD, and a dot for a length octet.
_TEXT_MAX_CHARACTERS = 4 * NAME_MAX_OCTETS
# Source: no reference; long enough to recognise what one wrote, short enough for a log line.
_VALUE_MAX_CHARACTERS = 200

# Nearly all names are of this kind: read at once, they take a tenth of the time.
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9_*-]{1,63}(?:\.[A-Za-z0-9_*-]{1,63})*\.?")
_PLAIN_LABEL = re.compile(rb"[A-Za-z0-9_*-]+")

# RFC 1035 §5.1: \DDD, \X, the dot, and any character that means nothing in a master file.
_TOKEN = re.compile(
    r"\\(?P<decimal>[0-9]{3})|\\(?P<escaped>[ -/:-~])|(?P<dot>\.)|(?P<plain>[!#-'*-:<-\[\]-~])"
)


def from_text(text: str, origin: bytes | None = None) -> bytes:
    """The name written as master-file text; keeps case.

    Shape:  ``@`` is the origin; a name without final dot is relative to it, or absolute where
            there is none.
    Errors: ConfigError "bad_name", saying which label and which bound.
    Source: RFC 1035 §5.1; the limits §3.1.
    """
    if text == "@":
        if origin is None:
            raise _bad(text, "@ stands for the origin, and there is none here.")
        return origin
    if text == ".":
        return ROOT
    found, absolute = _split(text)
    return _joined(text, found, ROOT if absolute or origin is None else origin)


def to_text(wire: bytes, origin: bytes | None = None) -> str:
    """The name as master-file text: relative if it is under ``origin``, else with a final dot.

    Source: RFC 1035 §5.1; whatever a master file reads as syntax is escaped.
    """
    relative = None if origin is None else relativize(wire, origin)
    if relative is None:
        return ".".join(_label_to_text(label) for label in labels(wire)) + "."
    return ".".join(_label_to_text(label) for label in labels(relative)) or "@"


def from_url(text: str, origin: bytes | None = None) -> bytes:
    """The name in the API's form (URLs and document keys), in lower case.

    Shape:  no final dot; ``@`` is the origin, or the root where there is none.
    Errors: ConfigError "bad_name".
    """
    if text == "@":
        return ROOT if origin is None else canonical(origin)
    found, absolute = _split(text)
    if absolute:
        raise _bad(text, "it ends in a dot.", "Leave the final dot out here.")
    return canonical(_joined(text, found, ROOT if origin is None else origin))


def to_url(wire: bytes, origin: bytes | None = None) -> str:
    """The one spelling of a name in the API: lower case, no final dot, odd octets as ``\\DDD``.

    Shape:  relative to ``origin``, which must be at or above the name; the origin itself, or
            the root where there is none, is ``@``.
    Errors: ValueError if the name is not under ``origin``.
    """
    relative = relativize(wire, ROOT if origin is None else origin)
    if relative is None:
        raise ValueError(f"{to_text(wire)} is not under {to_text(origin or ROOT)}")
    return ".".join(map(_label_to_url, labels(canonical(relative)))) or "@"


def mailbox_to_name(mailbox: str) -> bytes:
    """The name that stands for a mailbox in an SOA: the local part is one label.

    Errors: ConfigError "bad_mailbox", or "bad_name" for the domain.
    Source: RFC 1035 §8; a dot in the local part stays inside that label.
    Example:
        >>> to_text(mailbox_to_name("first.last@example.com"))
        'first\\\\.last.example.com.'
    """
    local, at, domain = mailbox.rpartition("@")
    if not at or not re.fullmatch(r"[!#-'*+\--9=?A-Z^-~]+", local):
        raise ConfigError(
            [Reason("", "bad_mailbox", f'"{excerpt(mailbox)}" is not a mail address.',
                    excerpt(mailbox), "Write it like hostmaster@example.com.")]
        )  # fmt: skip
    label = _label_to_wire(mailbox, 1, local.encode("ascii"))
    return _bounded(mailbox, label + from_text(domain))


def canonical(wire: bytes) -> bytes:
    """The name in lower case: ASCII letters only, other octets stay (RFC 4343 §3).

    Length octets are at most 63, below "A", so the whole name can be lowered at once.
    """
    return wire.lower()


def labels(wire: bytes) -> list[bytes]:
    """The labels from the left, without the root's empty one."""
    return [wire[at + 1 : at + 1 + wire[at]] for at in label_offsets(wire) if wire[at]]


def label_offsets(wire: bytes) -> list[int]:
    """Where each label's length octet stands, the root's included: where the suffixes start."""
    offsets = []
    at = 0
    while at < len(wire):
        offsets.append(at)
        at += 1 + wire[at]
    return offsets


def parent(wire: bytes) -> bytes:
    """The name without its leftmost label.

    Errors: ValueError for the root, which has none.
    """
    if wire == ROOT:
        raise ValueError("the root has no parent")
    return wire[1 + wire[0] :]


def is_subdomain(name: bytes, ancestor: bytes) -> bool:
    """Whether ``name`` is ``ancestor`` or below it; case does not matter."""
    return relativize(name, ancestor) is not None


def relativize(name: bytes, origin: bytes) -> bytes | None:
    """The labels of ``name`` left of ``origin`` in wire form, without a root.

    Shape: empty for the origin itself; None if the name is not under it. So
           ``relativize(name, origin) + origin`` is the name again, but for case.
    """
    cut = len(name) - len(origin)
    # The cut must fall between labels: the octets of one label may look like a name's end.
    if cut < 0 or name[cut:].lower() != origin.lower():
        return None
    at = 0
    while at < cut:
        at += 1 + name[at]
    return name[:cut] if at == cut else None


def excerpt(text: str) -> str:
    """What somebody wrote, short and printable enough to be shown back to them."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text[:_VALUE_MAX_CHARACTERS])
    return shown + "…" if len(text) > _VALUE_MAX_CHARACTERS else shown


def _split(text: str) -> tuple[list[bytes], bool]:
    """The labels of a name's text with escapes undone, and whether it ended in a dot."""
    if not text.isascii():
        hint = "Give the A-label of an international name, like xn--bcher-kva."
        raise _bad(text, "names are written in ASCII.", hint)
    if len(text) > _TEXT_MAX_CHARACTERS:
        raise _bad(text, f"it has {len(text)} characters; no name needs more than "
                         f"{_TEXT_MAX_CHARACTERS}.")  # fmt: skip
    if _PLAIN_TEXT.fullmatch(text):
        plain = text.encode("ascii").split(b".")
        return (plain, False) if plain[-1] else (plain[:-1], True)
    found = [bytearray()]
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or int(token["decimal"] or 0) > 255:
            raise _bad_character(text, position)
        if token["dot"]:
            found.append(bytearray())
        else:
            found[-1].append(_octet(token))
        position = token.end()
    absolute = len(found) > 1 and not found[-1]
    return [bytes(label) for label in (found[:-1] if absolute else found)], absolute


def _octet(token: re.Match[str]) -> int:
    return int(token["decimal"]) if token["decimal"] else ord(token["escaped"] or token["plain"])


def _joined(text: str, found: list[bytes], rest: bytes) -> bytes:
    wire = b"".join(_label_to_wire(text, number, label) for number, label in enumerate(found, 1))
    return _bounded(text, wire + rest)


def _label_to_wire(text: str, number: int, label: bytes) -> bytes:
    if not label:
        raise _bad(text, f"label {number} is empty; a label has 1 to {LABEL_MAX_OCTETS} octets.")
    if len(label) > LABEL_MAX_OCTETS:
        raise _bad(text, f"label {number} has {len(label)} octets; at most {LABEL_MAX_OCTETS}.")
    return bytes((len(label),)) + label


def _bounded(text: str, wire: bytes) -> bytes:
    if len(wire) > NAME_MAX_OCTETS:
        raise _bad(text, f"it has {len(wire)} octets on the wire, those of its zone "
                         f"included; at most {NAME_MAX_OCTETS}.")  # fmt: skip
    return wire


# The octets a master file reads as syntax (RFC 1035 §5.1), "$" because of $ORIGIN and $TTL.
_SYNTAX = frozenset(b'"().;\\@$')
_URL_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_*")


def _octet_to_text(octet: int) -> str:
    if octet in _SYNTAX:
        return f"\\{octet:c}"
    return chr(octet) if 0x20 < octet < 0x7F else f"\\{octet:03d}"


def _label_to_text(label: bytes) -> str:
    if _PLAIN_LABEL.fullmatch(label):
        return label.decode("ascii")
    return "".join(map(_octet_to_text, label))


def _label_to_url(label: bytes) -> str:
    if _PLAIN_LABEL.fullmatch(label):
        return label.decode("ascii")
    return "".join(chr(octet) if octet in _URL_PLAIN else f"\\{octet:03d}" for octet in label)


def _bad(text: str, detail: str, hint: str = "") -> ConfigError:
    shown = excerpt(text)
    return ConfigError([Reason("", "bad_name", f'Name "{shown}": {detail}', shown, hint)])


def _bad_character(text: str, position: int) -> ConfigError:
    """The complaint about what stands at ``position``, where no token could be read."""
    label = len(re.findall(r"(?<!\\)\.", text[:position])) + 1
    if text[position] == "\\":
        hint = "After a backslash come three digits up to 255, or one character that is no digit."
        return _bad(text, f"label {label} has a broken escape.", hint)
    octet = ord(text[position])
    hint = f"Write that octet as \\{octet:03d} if it is meant."
    return _bad(text, f"label {label} has the character {text[position]!r} unescaped.", hint)
