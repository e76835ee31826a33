"""Sections held in memory: verified once, sealed, mapped by every worker."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
from collections.abc import Mapping
from pathlib import Path

from geodns.daemon.contents import Contents, contents_of, losses
from geodns.engine.generation import Generation
from geodns.engine.responder import check_generation
from geodns.errors import ConfigError, GeodnsError, Reason
from geodns.snapshot.manifest import SNAPSHOT_DIR, Entry, Manifest
from geodns.snapshot.section import Kind

CHUNK = 1 << 20
MEMFD_NAME_MAX = 249
"""Longest name of a memory file. Source: memfd_create(2); names of sections are ASCII."""

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
ENGINE_KINDS = (Kind.ZONE, Kind.GEO, Kind.VIEW, Kind.POOLS)


class HeldSections:
    """What the current generation needs. A truncated file on disk can hurt nobody then."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / SNAPSHOT_DIR
        self.maps: dict[str, mmap.mmap] = {}
        self._contents: dict[str, Contents] = {}

    def admit(self, manifest: Manifest) -> list[tuple[str, int]]:
        """Hold all sections of a generation that is whole and consistent.

        Shape: returns (hash, descriptor) of those that are new; the caller closes them.
        Errors: ConfigError for what is missing, altered or contradictory, or loses what nobody
                forced; what was held stays.
        """
        entries = [entry for entry in manifest.sections if entry.kind in ENGINE_KINDS]
        fresh: dict[str, int] = {}
        try:
            for entry in entries:
                if entry.hash not in self.maps and entry.hash not in fresh:
                    fresh[entry.hash] = self._seal(entry)
            maps = {digest: _map(descriptor) for digest, descriptor in fresh.items()}
            held = self.maps | maps
            check_generation(Generation(manifest, lambda entry: memoryview(held[entry.hash])))
            contents = {entry.hash: self._read(entry, held[entry.hash]) for entry in entries}
            self._refuse_losses(manifest, contents)
        except BaseException as error:
            for descriptor in fresh.values():
                os.close(descriptor)
            if isinstance(error, GeodnsError | OSError) or not isinstance(error, Exception):
                raise
            # Whatever our readers stumble over, the generation is at fault, and we go on.
            what = f"A section makes no sense: {type(error).__name__}: {error}."
            raise ConfigError(what) from error
        # Also of what was held until now: who cannot write the manifest goes back to it.
        self._contents = contents | {h: self._contents[h] for h in self.maps if h in self._contents}
        self.maps = {entry.hash: held[entry.hash] for entry in entries}
        return list(fresh.items())

    def _read(self, entry: Entry, octets: mmap.mmap) -> Contents:
        known = self._contents.get(entry.hash)
        return known if known and known.is_of(entry) else contents_of(entry, memoryview(octets))

    def _refuse_losses(self, manifest: Manifest, contents: Mapping[str, Contents]) -> None:
        now = {h: self._contents[h] for h in self.maps if h in self._contents}
        lost = [] if manifest.forced else list(losses(now, contents))
        if lost:
            hint = "If this is meant, write it again with force and a reason."
            raise ConfigError(
                [Reason("", "brake", f"Nobody forced it: {each}.", hint=hint) for each in lost]
            )

    def check_rest(self, manifest: Manifest) -> None:
        """See that the sections which the engine does not read are whole, too.

        Errors: ConfigError for one that is missing or altered.
        """
        for entry in manifest.sections:
            if entry.kind not in ENGINE_KINDS:
                os.close(self._seal(entry))

    def _seal(self, entry: Entry) -> int:
        """Copy a section into a sealed memory file, checking it on the way."""
        path = self._directory / entry.hash
        # The name is for who reads /proc/PID/maps; memfd_create(2) takes 249 octets of it.
        name = f"geodns-{entry.name}"[:MEMFD_NAME_MAX]
        descriptor = os.memfd_create(name, os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        digest, size, chunk = hashlib.sha256(), 0, memoryview(bytearray(CHUNK))
        try:
            with path.open("rb", buffering=0) as file:
                while count := file.readinto(chunk):
                    digest.update(chunk[:count])
                    size += count
                    os.write(descriptor, chunk[:count])
            if not size or size != entry.size or digest.hexdigest() != entry.hash:
                raise ConfigError(f"Section {path} is not what the manifest says: truncated?")
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
        except OSError as error:
            os.close(descriptor)
            raise ConfigError(f"Section {path} cannot be read: {error}.") from None
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def manifest_descriptor(manifest: Manifest) -> int:
    """A manifest in a memory file, to be sent to a worker."""
    descriptor = os.memfd_create("geodns-manifest", os.MFD_CLOEXEC)
    os.write(descriptor, manifest.encode())
    return descriptor


def _map(descriptor: int) -> mmap.mmap:
    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
