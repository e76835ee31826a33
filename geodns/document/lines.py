"""Which line of a document's text a pointer leads to; asked only when something is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from geodns.model.base import escape_pointer


@dataclass(slots=True)
class _Open:
    """A list or mapping on the way: its pointer, and the item or key that comes next."""

    pointer: str
    is_list: bool
    count: int = 0
    key: str | None = None


def lines_of(text: str) -> dict[str, int]:
    """The line, from 1, of every key and item by JSON pointer (RFC 6901).

    Shape: of YAML or JSON that could be read; what an alias stands for has the alias's line alone.
    """
    found: dict[str, int] = {"": 1}
    stack: list[_Open] = []
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, yaml.CollectionStartEvent | yaml.ScalarEvent | yaml.AliasEvent):
            at = _place(stack, event, found)
            if isinstance(event, yaml.CollectionStartEvent) and at is not None:
                stack.append(_Open(at, isinstance(event, yaml.SequenceStartEvent)))
    return found


def _place(stack: list[_Open], event: yaml.NodeEvent, found: dict[str, int]) -> str | None:
    """The pointer of a value; None for a key, which is remembered."""
    if not stack:
        return ""
    top = stack[-1]
    if top.is_list:
        at = f"{top.pointer}/{top.count}"
        top.count += 1
        found[at] = _line(event)
        return at
    if top.key is None:
        top.key = event.value if isinstance(event, yaml.ScalarEvent) else str(event.anchor)
        found[f"{top.pointer}/{escape_pointer(top.key)}"] = _line(event)
        return None
    at = f"{top.pointer}/{escape_pointer(top.key)}"
    top.key = None
    return at


def _line(event: yaml.NodeEvent) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def line_of(pointer: str, lines: Mapping[str, int]) -> int | None:
    """The line of what a pointer leads to, or of the nearest thing around it that is written."""
    for at in _outwards(pointer):
        if at in lines:
            return lines[at]
    return None


def _outwards(pointer: str) -> Iterable[str]:
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]
