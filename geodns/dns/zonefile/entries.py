"""A master file's entries: words across parentheses, quotes and comments (RFC 1035 §5.1).

What is broken ends with its own entry: every later one is read. dnspython's tokenizer is not
used, because it stops at the first fault and knows no columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

ENTRY_MAX_CHARACTERS = 300_000
"""Longest entry, white space and comments included.

Source: no reference; 65,535 octets of record data, each as ``\\DDD``, and the names.
"""

REREAD_MAX_CHARACTERS = 5 * ENTRY_MAX_CHARACTERS
"""How much is read again, after parentheses that are never closed, before giving up.

Source: no reference; a second's work. A file with such a fault is refused anyway.
"""

_EMPTY: Final = re.compile(r"(?:[ \t]*+(?:;[^\n]*+)?\n)*+")
_TOKEN: Final = re.compile(
    r'(?:(?P<bare>(?:[^ \t\n"\\;()]++|\\[^\n])++)|(?P<quoted>"(?:[^"\\\n]++|\\[^\n])*+"))[ \t]*+'
    r"|(?P<newline>\n)|(?P<open>\()|(?P<close>\))|(?P<ignored>[ \t]++|;[^\n]*+)"
)


class Word(NamedTuple):
    """One word as it was written, with its quotes.

    Shape: ``at`` is its offset in the file; ``glued`` if nothing parts it from the word before,
           as in ``alpn="h2"``.
    """

    text: str
    at: int
    quoted: bool
    glued: bool


@dataclass(slots=True)
class Entry:
    """A directive or a record, from its first line to where its parentheses close.

    Shape: ``indented`` if white space stands where the owner would; with a ``fault``, which
           stands at ``fault_at``, the words are not to be used.
    """

    at: int
    line: int
    indented: bool
    words: list[Word] = field(default_factory=list)
    fault: str = ""
    fault_at: int = 0


def entries(text: str) -> Iterator[Entry]:
    """Every entry that has words or a fault, in order.

    Shape: lines end in ``\\n`` alone.
    """
    at = reread = 0
    line = 1
    while at < len(text) and reread <= REREAD_MAX_CHARACTERS:
        start = _EMPTY.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing too
        line += text.count("\n", at, start)
        entry = Entry(start, line, text[start : start + 1] in (" ", "\t"))
        stopped, at = _read(text, entry)
        if entry.words or entry.fault:
            yield entry
        reread += max(stopped - at, 0)
        line += text.count("\n", start, at)


def column(text: str, at: int) -> int:
    """The column of an offset, counted from 1."""
    return at - text.rfind("\n", 0, at)


def _read(text: str, entry: Entry) -> tuple[int, int]:
    """Collect the words of the entry; returns where that stopped, and where to go on."""
    at = last_end = entry.at
    depth = opened_at = 0
    limit = entry.at + ENTRY_MAX_CHARACTERS
    while token := _token(text, entry, at, limit):
        at, kind = token.end(), token.lastgroup
        if kind in ("bare", "quoted"):
            glued = token.start() == last_end and bool(entry.words)
            entry.words.append(Word(token[kind], token.start(), kind == "quoted", glued))
            last_end = token.end(kind)
        elif kind == "open":
            opened_at = opened_at if depth else token.start()
            depth += 1
        elif kind == "close" and not depth:
            _fault(entry, token.start(), "this parenthesis was never opened.")
        elif kind == "close":
            depth -= 1
        elif kind == "newline" and not depth:
            return at, at
    if depth:
        if entry.fault_at >= _line_end(text, opened_at):
            entry.fault = ""  # It may be that of another entry: what follows is read again.
        _fault(entry, opened_at, "this parenthesis is never closed.")
    elif at < len(text):
        _fault(entry, at, f"an entry has at most {ENTRY_MAX_CHARACTERS:,} characters.")
    return at, _line_end(text, entry.fault_at) + 1 if entry.fault else at


def _token(text: str, entry: Entry, at: int, limit: int) -> re.Match[str] | None:
    """What stands at ``at``; None at the end of the file and beyond the limit."""
    token = _TOKEN.match(text, at, limit + 1)
    if token is None and at < min(len(text), limit) and _line_end(text, at) < limit:
        what = "quote is not closed" if text[at] == '"' else "backslash escapes nothing"
        _fault(entry, at, f"this {what} on its line.")
        token = _TOKEN.match(text, _line_end(text, at), limit + 1)
    return token if token and token.end() <= limit else None


def _line_end(text: str, at: int) -> int:
    newline = text.find("\n", at)
    return len(text) if newline < 0 else newline


def _fault(entry: Entry, at: int, fault: str) -> None:
    """The first fault of an entry is the one to mend; others may follow from it."""
    if not entry.fault:
        entry.fault, entry.fault_at = fault, at
