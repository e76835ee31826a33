"""Verdicts on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geodns.errors import ConfigError, Unavailable
from geodns.health.memory import Remembered, recall, remember

DOWN = Remembered(address="192.0.2.10", monitor="web", verdict="down", since_ms=1, checked_ms=2)


def test_verdicts_are_recalled_as_they_were_remembered(tmp_path: Path) -> None:
    remember(tmp_path, [DOWN])
    assert recall(tmp_path) == {("192.0.2.10", "web"): DOWN}


def test_nothing_is_remembered_at_first(tmp_path: Path) -> None:
    assert recall(tmp_path) == {}


def test_the_file_is_replaced_whole(tmp_path: Path) -> None:
    remember(tmp_path, [DOWN])
    inode = (tmp_path / "verdicts").stat().st_ino
    remember(tmp_path, [])
    assert (tmp_path / "verdicts").stat().st_ino != inode
    assert os.listdir(tmp_path) == ["verdicts"]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"format": 2, "verdicts": []}',
        b'{"format": 1, "verdicts": [{"address": "a", "monitor": "m", "verdict": "up"}]}',
        b'{"format": 1, "verdicts": [{"address": "a", "monitor": "m", "verdict": "sick",'
        b' "since_ms": 1, "checked_ms": 1}]}',
        b'{"format": 1, "verdicts": [{"address": "a", "monitor": "m", "verdict": "up",'
        b' "since_ms": -1, "checked_ms": 1e300}]}',
    ],
    ids=range(8),
)
def test_a_damaged_file_is_refused(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "verdicts").write_bytes(octets)
    with pytest.raises(ConfigError, match="damaged and forgotten"):
        recall(tmp_path)


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "verdicts").mkdir()
    with pytest.raises(Unavailable, match="cannot be read"):
        recall(tmp_path)


def test_no_room_is_an_error_the_caller_can_survive(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        remember(tmp_path / "gone", [DOWN])
