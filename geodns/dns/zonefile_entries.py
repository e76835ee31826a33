"""A master file's entries: words across parentheses, quotes and comments (RFC 1035 §5.1).

What is broken ends with its own entry: every later one is read. dnspython's tokenizer is not
used, because it stops at the first fault, knows no columns, and takes 25 times as long.
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

_TOKEN: Final = re.compile(
    r'(?P<bare>(?:[^ \t\n"\\;()]++|\\[^\n])++)'
    r"|(?P<space>[ \t]++|;[^\n]*+)"
    r"|(?P<newline>\n)"
    r'|(?P<quoted>"(?:[^"\\\n]++|\\[^\n])*+")'
    r"|(?P<open>\()|(?P<close>\))"
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

    Shape: ``indented`` if white space stands where the owner would; ``fault`` is what stopped
           the reading at ``fault_at``, and the words before it are not to be used.
    """

    at: int
    line: int
    indented: bool
    words: list[Word] = field(default_factory=list)
    fault: str = ""
    fault_at: int = 0


def entries(text: str) -> Iterator[Entry]:
    """Every entry that has words or a fault, in order; its time is linear in the text's length.

    Shape: lines end in ``\\n`` alone.
    """
    at, line = 0, 1
    while at < len(text):
        entry = Entry(at, line, text[at] in " \t")
        end = _read(text, entry)
        if entry.fault:
            end = _after_fault(text, entry)
        if entry.words or entry.fault:
            yield entry
        line += text.count("\n", at, end)
        at = end


def column(text: str, at: int) -> int:
    """The column of an offset, counted from 1."""
    return at - text.rfind("\n", 0, at)


def _read(text: str, entry: Entry) -> int:
    """Collect the words of the entry; returns where the next one starts."""
    at = last_end = entry.at
    open_at: list[int] = []
    limit = entry.at + ENTRY_MAX_CHARACTERS
    while True:
        token = _TOKEN.match(text, at, limit + 1)
        if token is None or token.end() > limit:
            return _stop(text, entry, at, limit, open_at)
        at, kind = token.end(), token.lastgroup
        if kind in ("bare", "quoted"):
            glued = token.start() == last_end and bool(entry.words)
            entry.words.append(Word(token[0], token.start(), kind == "quoted", glued))
            last_end = at
        elif kind == "open":
            open_at.append(token.start())
        elif kind == "close":
            if not open_at:
                return _fault(entry, token.start(), "this parenthesis was never opened.")
            open_at.pop()
        elif kind == "newline" and not open_at:
            return at


def _stop(text: str, entry: Entry, at: int, limit: int, open_at: list[int]) -> int:
    """There is no token: the end of the file, a broken word, or an entry that is too long."""
    if open_at and (at >= len(text) or at >= limit - 1):
        return _fault(entry, open_at[0], "this parenthesis is never closed.")
    if at >= len(text):
        return at
    if text[at] == '"' and text.find("\n", at, limit) >= 0 or text.find('"', at + 1, limit) < 0:
        return _fault(entry, at, "this quote is not closed on its line.")
    return _fault(entry, at, f"an entry has at most {ENTRY_MAX_CHARACTERS:,} characters.")


def _fault(entry: Entry, at: int, fault: str) -> int:
    entry.fault, entry.fault_at = fault, at
    return at


def _after_fault(text: str, entry: Entry) -> int:
    """Go on with the line after the fault."""
    newline = text.find("\n", entry.fault_at)
    return len(text) if newline < 0 else newline + 1
