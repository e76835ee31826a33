"""A native engine is asked to serve only the snapshots that it reads."""

from __future__ import annotations

import pytest

from geodns.daemon.serve import choose_engine
from geodns.engine.native import reads_snapshots
from geodns.errors import ConfigError
from geodns.snapshot.section import VERSIONS, Kind

native = pytest.importorskip("geodns._native", reason="no native engine was built")


def test_a_native_engine_of_older_snapshots_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "SNAPSHOT_VERSION", VERSIONS[Kind.VIEW] - 1, raising=False)
    assert not reads_snapshots()
    with pytest.raises(ConfigError, match="does not read snapshots of this version"):
        choose_engine("native")
    assert choose_engine("auto") == "python"


def test_a_native_engine_of_our_snapshots_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "SNAPSHOT_VERSION", VERSIONS[Kind.VIEW], raising=False)
    assert choose_engine("native") == "native"
