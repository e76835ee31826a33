"""Which generation is served: the last one that was whole, until a better one is accepted."""

from __future__ import annotations

import errno
import logging
import os
import resource
from collections.abc import Iterable
from pathlib import Path

from geodns.daemon.sections import HeldSections
from geodns.errors import ConfigError, GeodnsError, Unavailable
from geodns.snapshot.manifest import NEXT, PREVIOUS, Manifest, read_manifest, write_manifest

Fresh = list[tuple[str, int]]
"""Sections by hash and descriptor of their memory file; `close_all` them after use."""

log = logging.getLogger("geodns.supervisor")


class Generations:
    """The supervisor's hold on the generation that is served: ``current`` and its sections."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.held = HeldSections(data_dir)
        self.current: Manifest | None = None

    def load_last(self) -> None:
        """Take what the last run served, before anything else is up."""
        manifest, faults = read_manifest(self._data_dir)
        for fault in faults:
            log.error("%s", fault)
        for candidate in (manifest, *self._older(manifest)):
            if candidate is None:
                continue
            try:
                close_all(self._admit(candidate))
            except GeodnsError as error:
                log.error("generation %d is not served: %s", candidate.generation, error)
            else:
                self.current = candidate
                return

    def accept(self, generation: int) -> tuple[Manifest, Fresh]:
        """Check ``manifest.next`` and make it current; the sections that are new with it.

        Errors: GeodnsError and OSError, and what was held is held on.
        """
        manifest = Manifest.decode((self._data_dir / NEXT).read_bytes())
        number = self.current.generation if self.current else 0
        if manifest.generation != generation or generation <= number:
            raise ConfigError(f"Generation {generation} does not follow {number}.")
        self.held.check_rest(manifest)
        before = self.held.maps
        fresh = self._admit(manifest)
        try:
            write_manifest(self._data_dir, manifest)
        except BaseException:
            self.held.maps = before  # no worker has the new ones, each needs the old ones
            close_all(fresh)
            raise
        self.current = manifest
        return manifest, fresh

    def _admit(self, manifest: Manifest) -> Fresh:
        """Hold its sections. Errors: as `HeldSections.admit`; Unavailable without descriptors."""
        try:
            return self.held.admit(manifest)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            count = len(manifest.sections)
            detail = f"Its {count} sections have no room in {limit} open files: raise the limit"
            raise Unavailable(f"{detail} (ulimit -n, LimitNOFILE=).") from None

    def _older(self, manifest: Manifest | None) -> list[Manifest]:
        """The previous manifest, for when the current one's sections have gone bad."""
        try:
            older = Manifest.decode((self._data_dir / PREVIOUS).read_bytes())
        except (OSError, ConfigError):
            return []
        return [] if manifest is None or older == manifest else [older]


def close_all(fresh: Iterable[tuple[str, int]]) -> None:
    """Close the descriptors, once those who need them have their own."""
    for _, descriptor in fresh:
        os.close(descriptor)
