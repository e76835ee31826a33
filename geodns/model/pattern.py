"""Regular expressions that match in bounded time: RE2's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

PROGRAM_MAX = 1000
"""Largest program a pattern may compile to. Source: measured, the worst found of that size takes
3 ms for 64 kB; `(a?){400}b` has 800 and a pattern for an address of mail 90."""


class NoPatterns(Exception):
    """The library for regular expressions is not installed; the text says how to get it."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """A pattern to ``search`` octets with. Shared, for its tables may grow to 8 MB.

    Errors: ValueError in words when it is none of RE2's or too large; NoPatterns.
    """
    try:
        import re2
    except ImportError:
        raise NoPatterns(
            "regular expressions need google-re2: pip install 'geodns[regex]'"
        ) from None
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True  # only whether it matches is asked, which is much faster
    try:
        found = re2.compile(pattern.encode(), options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise ValueError(f"{words}; the syntax is RE2's, without look-around") from None
    if found.programsize > PROGRAM_MAX:
        detail = f"compiles to {found.programsize} steps, above {PROGRAM_MAX}"
        raise ValueError(f"{detail}; repeat less")
    return found
