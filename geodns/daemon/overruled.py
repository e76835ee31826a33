"""What operators say of targets above their verdicts, for people."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from geodns.errors import GeodnsError
from geodns.model.override import instant
from geodns.snapshot.drains import read_drains, rules
from geodns.snapshot.overrides import Book, Rule, holders
from geodns.snapshot.status import Override, Word

Holders = dict[str, Rule]
"""What holds each node now."""


def holders_now(data_dir: Path, book: Book) -> Holders:
    """What holds each node, by the generation and by the file of drains."""
    try:
        drains = read_drains(data_dir)
    except GeodnsError:  # the health process tells of it, and goes on with the last
        drains = ()
    return holders(rules(book, drains), time.time_ns() // 1_000_000)


class Held:
    """What holds each node, looked up when it is first asked for: that reads a file."""

    def __init__(self, data_dir: Path, book: Book) -> None:
        self._of = data_dir, book
        self._now: Holders | None = None

    def now(self) -> Holders:
        """What holds each node."""
        if self._now is None:
            self._now = holders_now(*self._of)
        return self._now


def override_view(word: Word, nodes: list[str], held: Held) -> dict[str, Any] | None:
    """The override that a word carries, and by what it does; None without one."""
    if word.override is Override.NONE:
        return None
    holding = held.now()
    rule = next((holding[node_id] for node_id in nodes if node_id in holding), None)
    return {
        "state": word.override.name.lower(),
        "id": rule.id if rule else None,
        "reason": rule.reason if rule else "",
        "until": instant(rule.until_ms) if rule and rule.until_ms else None,
    }
