"""The file of drains: bounded, read totally, replaced whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geodns.errors import ConfigError
from geodns.snapshot.drains import (
    DRAINS_MAX,
    FILE_NAME,
    Drain,
    change_drains,
    drain_id,
    read_drains,
)


def test_without_a_file_nothing_is_drained(tmp_path: Path) -> None:
    assert read_drains(tmp_path) == ()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    drains = (Drain(site="fra", reason="heat", until="2026-12-01T00:00:00Z"),)
    change_drains(tmp_path, lambda before: before + drains)
    assert read_drains(tmp_path) == drains


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[]",
        '{"format": 2, "drains": []}',
        '{"format": 1, "drains": {}}',
        '{"format": 1, "drains": [{"node": "A b", "reason": "x"}]}',
        '{"format": 1, "drains": [{"node": "a", "reason": ""}]}',
        '{"format": 1, "drains": [{"node": "a", "reason": "x", "until": "tomorrow"}]}',
        '{"format": 1, "drains": [{"node": "a", "reason": "x", "until": "2026-02-31T00:00:00Z"}]}',
        '{"format": 1, "drains": [{"node": "a", "reason": "x", "odd": 1}]}',
        "\0" * 100,
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ConfigError):
        read_drains(tmp_path)
    with pytest.raises(ConfigError):
        change_drains(tmp_path, lambda before: before)
    assert (tmp_path / FILE_NAME).read_text() == text


def test_drains_are_bounded(tmp_path: Path) -> None:
    many = tuple(Drain(node=f"n{number}", reason="x") for number in range(DRAINS_MAX + 1))
    with pytest.raises(ConfigError, match="More than"):
        change_drains(tmp_path, lambda _: many)
    items = [{"node": f"n{number}", "reason": "x"} for number in range(DRAINS_MAX + 1)]
    (tmp_path / FILE_NAME).write_text(json.dumps({"format": 1, "drains": items}))
    with pytest.raises(ConfigError):
        read_drains(tmp_path)


def test_ids_of_drains_are_ids_of_overrides() -> None:
    assert drain_id("node", "fra1") == "drain-node-fra1"
    assert len(drain_id("site", "Frankfurt am Main")) <= 63
    assert drain_id("site", "A") != drain_id("site", "a")
    assert len(drain_id("node", "n" * 63)) <= 63
