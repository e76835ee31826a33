"""The manifest: which sections make up the current generation.

One JSON object in ``<data-dir>/manifest``; its predecessor stands in ``manifest.prev``, so
that one torn or spoilt file never leaves a server without a generation. Sections are
``<data-dir>/snapshot/<hash>``.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from geodns.errors import ConfigError, Reason, Unavailable

FORMAT = 1
CURRENT = "manifest"
PREVIOUS = "manifest.prev"
NEXT = "manifest.next"
"""Where a generation waits to be checked by who will serve it."""

SNAPSHOT_DIR = "snapshot"
MANIFEST_MAX_BYTES = 16 * 2**20
"""Source: no reference; room for some 80,000 sections."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One section of a generation. ``name`` is unique within its kind.

    ``recipe`` is the digest of what it was made from, empty if it is made every time.
    """

    kind: int
    name: str
    hash: str
    size: int
    optional: bool = False
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A generation: its number, when it was made (RFC 3339) and its sections."""

    generation: int
    created: str
    sections: tuple[Entry, ...]
    forced: str | None = None

    def encode(self) -> bytes:
        """The file's octets: the fields, and a hash over them."""
        fields = {"format": FORMAT, **asdict(self)}
        return _canonical({**fields, "sha256": _digest(fields)})

    @classmethod
    def decode(cls, octets: bytes) -> Manifest:
        """Errors: ConfigError when the octets are not a whole manifest of this format."""
        try:
            fields: dict[str, Any] = json.loads(octets)
            digest = fields.pop("sha256")
            if digest != _digest(fields) or fields.pop("format") != FORMAT:
                raise ValueError("its hash or format does not match")
            sections = tuple(Entry(**entry) for entry in fields.pop("sections"))
            return cls(sections=sections, **fields)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ConfigError(f"Not a whole manifest: {error}.") from None


def read_manifest(data_dir: Path) -> tuple[Manifest | None, list[Reason]]:
    """The newest good manifest, and a reason for each that had to be passed over."""
    faults: list[Reason] = []
    for name in (CURRENT, PREVIOUS):
        path = data_dir / name
        try:
            with path.open("rb") as file:
                return Manifest.decode(file.read(MANIFEST_MAX_BYTES)), faults
        except FileNotFoundError:
            continue
        except (OSError, ConfigError) as error:
            faults.append(Reason(str(path), "bad_manifest", f"Manifest refused: {error}"))
    return None, faults


def write_manifest(data_dir: Path, manifest: Manifest) -> None:
    """Make ``manifest`` the current one, durably; the current one becomes the previous.

    Errors: Unavailable when the directory cannot be written.
    """
    current = data_dir / CURRENT
    try:
        if _is_good(current):
            _link_over(current, data_dir / PREVIOUS)
        write_durably(current, manifest.encode())
    except OSError as error:
        raise Unavailable(f"Manifest {current} cannot be written: {error}.") from None


def _is_good(path: Path) -> bool:
    """Whether a manifest may stand in for the next; a spoilt one must not replace a good one."""
    try:
        Manifest.decode(path.read_bytes())
    except (OSError, ConfigError):
        return False
    return True


def write_durably(path: Path, octets: bytes) -> None:
    """Replace a file whole: readers see the old octets or the new, also after a crash."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _link_over(source: Path, target: Path) -> None:
    """Give ``source`` a second name, replacing what had it, without a gap."""
    fresh = target.with_name(target.name + ".new")
    fresh.unlink(missing_ok=True)
    os.link(source, fresh)
    fresh.replace(target)


def _digest(fields: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical(fields)).hexdigest()


def _canonical(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
