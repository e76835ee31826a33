"""Faults of a document with the lines of its files, also those that a server finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from geodns.errors import GeodnsError, Reason


@contextmanager
def in_lines(files: Sequence[str]) -> Iterator[None]:
    """Give what is refused the line of the file that it is about, where there is one."""
    try:
        yield
    except GeodnsError as error:
        if not any(reason.pointer for reason in error.reasons):
            raise
        lines = _lines(files)
        raise type(error)(_located(reason, lines) for reason in error.reasons) from None


def _lines(files: Sequence[str]) -> dict[str, Mapping[str, int]]:
    from geodns.document.lines import lines_of

    found: dict[str, Mapping[str, int]] = {}
    for file in files:
        # Standard input is gone, and what cannot be read was told of before.
        with suppress(Exception):
            found[file] = lines_of(Path(file).read_text("utf-8"))
    return found


def _located(reason: Reason, lines: Mapping[str, Mapping[str, int]]) -> Reason:
    """The reason with the place that comes nearest to its pointer, as compilers tell it."""
    pointer = reason.pointer
    while pointer:
        for file, known in lines.items():
            if pointer in known:
                return replace(reason, pointer=f"{file}:{known[pointer]}: {reason.pointer}")
        pointer = pointer.rpartition("/")[0]
    return reason
