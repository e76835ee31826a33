"""Verdicts that survive the process: ``<data-dir>/verdicts``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geodns.errors import ConfigError, Unavailable
from geodns.health.board import Board
from geodns.health.damping import PENALTY_MAX
from geodns.health.targets import Target
from geodns.model.monitor import Monitor
from geodns.snapshot.manifest import write_durably
from geodns.snapshot.status import Verdict

FILE_NAME = "verdicts"
FILE_MAX_BYTES = 64 * 2**20
"""Source: no reference; room for some 400,000 verdicts."""


STALE_INTERVALS = 10
"""Verdicts not confirmed for so long say nothing any more. Source: no reference; long enough
for a restart, short against the life of an outage."""


class Remembered(BaseModel):
    """A verdict as it was last seen.

    Shape: ``held_penalty`` is that of a target held down for flapping, else 0; ``until_ms`` the
           end of a pushed verdict's lease, else 0.
    Units: Unix milliseconds.
    """

    model_config = ConfigDict(frozen=True)

    address: str
    monitor: str
    verdict: Literal["up", "down"]
    since_ms: int = Field(ge=0, lt=2**53)
    checked_ms: int = Field(ge=0, lt=2**53)
    held_penalty: float = Field(default=0, ge=0, le=PENALTY_MAX)
    until_ms: int = Field(default=0, ge=0, lt=2**53)

    @classmethod
    def of(
        cls,
        target: Target,
        verdict: Verdict,
        since_ms: int,
        checked_ms: int,
        *,
        held_penalty: float = 0.0,
        until_ms: int = 0,
    ) -> Remembered:
        """The verdict on a target, which must be known."""
        return cls(
            address=str(target.address),
            monitor=str(target.monitor),
            verdict="up" if verdict is Verdict.UP else "down",
            since_ms=since_ms,
            checked_ms=checked_ms,
            held_penalty=held_penalty,
            until_ms=until_ms,
        )


class _File(BaseModel):
    format: Literal[1] = 1
    verdicts: tuple[Remembered, ...]


Memory = dict[tuple[str, str], Remembered]
"""Verdicts by (address, monitor id): slots may have been dealt anew meanwhile."""


def recall(data_dir: Path) -> Memory:
    """What was remembered; nothing when there is no file yet.

    Errors: ConfigError when the file is not ours, Unavailable when it cannot be read.
    """
    path = data_dir / FILE_NAME
    try:
        with path.open("rb") as file:
            found = _File.model_validate_json(file.read(FILE_MAX_BYTES))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error}.") from None
    except ValidationError:
        raise ConfigError(f"{path} is damaged and forgotten: all verdicts start unknown.") from None
    return {(item.address, item.monitor): item for item in found.verdicts}


def remember(data_dir: Path, verdicts: Iterable[Remembered]) -> None:
    """Write all verdicts, whole and durably. Errors: OSError when there is no room."""
    items = [item.model_dump() for item in verdicts]
    text = json.dumps({"format": 1, "verdicts": items}, separators=(",", ":"))
    write_durably(data_dir / FILE_NAME, text.encode())


def still_known(
    memory: Memory, board: Board | None, target: Target, monitor: Monitor, now_ms: int
) -> Remembered | None:
    """The verdict to go on with after a restart, if one is young enough.

    The status table outlives this process and is the fresher source; the file outlives the
    machine. ``board`` is None for what has no slot.
    """
    found = memory.get((str(target.address), str(target.monitor)))
    if monitor.type == "push":
        lease_ms = (monitor.lease_s or 0) * 1000
        return found if found and 0 < found.until_ms - now_ms <= lease_ms else None
    if board is not None:
        found = _fresher(board, target, found)
    stale_ms = STALE_INTERVALS * monitor.interval_s * 1000
    # Either sign: the wall clock may have stepped back meanwhile.
    return found if found and abs(now_ms - found.checked_ms) <= stale_ms else None


def _fresher(board: Board, target: Target, found: Remembered | None) -> Remembered | None:
    word, note = board.word(target.slot, target.tag), board.note(target.slot)
    if word.verdict is Verdict.UNKNOWN or (found and note.checked_ms <= found.checked_ms):
        return found
    penalty = found.held_penalty if found else 0.0
    return Remembered.of(target, word.verdict, note.since_ms, note.checked_ms, held_penalty=penalty)
