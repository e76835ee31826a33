"""What to watch: the targets section of the current generation.

The section's column ``json`` holds ``{"targets": [{"slot", "tag", "address",
"probe_address", "monitor", "nodes", "slow_start_s"}], "monitors": {id: monitor}, "sites": {node:
site}}``. A target without a monitor is not probed; its status word only says whose slot it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress, ValidationError

from geodns.errors import ConfigError, Reason
from geodns.model.base import Id
from geodns.model.monitor import Monitor
from geodns.snapshot.manifest import SNAPSHOT_DIR, Entry, Manifest, read_manifest
from geodns.snapshot.overrides import NO_BOOK, Book, decode_book
from geodns.snapshot.overrides import SECTION_NAME as OVERRIDES
from geodns.snapshot.section import Kind, Section, content_hash

SECTION_NAME = "targets"
COLUMN = "json"
SECTION_MAX_BYTES = 64 * 2**20
"""Source: no reference; room for some 300,000 targets."""


class Shed(BaseModel):
    """Loads between which a node gives its users away."""

    model_config = ConfigDict(frozen=True, strict=True)

    lo: float
    hi: float


class Target(BaseModel):
    """One address of a node, or the name it stands for, and the monitor that judges it."""

    model_config = ConfigDict(frozen=True, strict=True)

    slot: int = Field(ge=0)
    tag: int = Field(ge=0, lt=2**32)
    address: str = Field(min_length=1, max_length=1024)
    probe_address: IPvAnyAddress | None = None
    monitor: Id | None = None
    nodes: tuple[str, ...] = ()
    slow_start_s: float = Field(default=0, ge=0)
    shed: Shed | None = None

    @property
    def probed(self) -> str:
        """The address that probes connect to; a name is looked up at every check."""
        return str(self.probe_address or self.address)

    def __str__(self) -> str:
        return f"{self.monitor} {self.address} ({', '.join(self.nodes)})"


class _Document(BaseModel):
    targets: tuple[Target, ...]
    monitors: dict[Id, Monitor]
    sites: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Watchlist:
    """The targets of one generation, their monitors by id, and the sites of nodes."""

    generation: int
    targets: tuple[Target, ...] = ()
    monitors: dict[str, Monitor] | None = None
    sites: dict[str, str] | None = None
    book: Book = NO_BOOK

    def monitor_of(self, target: Target) -> Monitor | None:
        """The monitor of a target; None when nobody judges it."""
        return (self.monitors or {}).get(target.monitor or "")

    def site_of(self, target: Target) -> str:
        """Where a target stands; a node whose site nobody knows is a site of its own."""
        node = target.nodes[0] if target.nodes else target.address
        return (self.sites or {}).get(node, node)


def read_watchlist(data_dir: Path) -> tuple[Watchlist | None, list[Reason]]:
    """The current generation's targets and overrides, None without one, and manifests passed over.

    Errors: ConfigError when the section is missing, damaged or does not make sense.
    """
    manifest, faults = read_manifest(data_dir)
    if manifest is None:
        return None, faults
    watchlist = Watchlist(manifest.generation)
    if entry := _entry(manifest, Kind.TARGETS, SECTION_NAME):
        watchlist = _decode(manifest.generation, _read_section(data_dir, entry))
    if entry := _entry(manifest, Kind.OVERRIDES, OVERRIDES):
        book = decode_book(Section(_read_section(data_dir, entry)))
        watchlist = replace(watchlist, book=book)
    return watchlist, faults


def _entry(manifest: Manifest, kind: Kind, name: str) -> Entry | None:
    found = (entry for entry in manifest.sections if (entry.kind, entry.name) == (kind, name))
    return next(found, None)


def _read_section(data_dir: Path, entry: Entry) -> bytes:
    path = data_dir / SNAPSHOT_DIR / entry.hash
    try:
        with path.open("rb") as file:
            octets = file.read(min(entry.size, SECTION_MAX_BYTES) + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"Section {path} cannot be read: {error}.") from None
    if len(octets) != entry.size or content_hash(octets) != entry.hash:
        raise ConfigError(f"Section {path} is damaged: its hash or size does not match.")
    return octets


def _decode(generation: int, octets: bytes) -> Watchlist:
    try:
        document = _Document.model_validate_json(Section(octets).octets(COLUMN))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        raise ConfigError(f"Targets are not as they should be: {where}: {first['msg']}.") from None
    watchlist = Watchlist(generation, document.targets, document.monitors, document.sites)
    _check(watchlist)
    return watchlist


def _check(watchlist: Watchlist) -> None:
    slots = [target.slot for target in watchlist.targets]
    if len(set(slots)) != len(slots):
        raise ConfigError("Two targets share a status slot.")
    for target in watchlist.targets:
        if target.monitor is not None and watchlist.monitor_of(target) is None:
            raise ConfigError(f"Target {target} names an unknown monitor.")
