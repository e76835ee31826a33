"""Reading what to watch, and refusing what is not whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geodns.errors import ConfigError
from geodns.health.targets import read_watchlist
from geodns.model.expect import Expect
from geodns.model.monitor import Monitor
from geodns.snapshot.manifest import Entry, Manifest, write_manifest
from geodns.snapshot.section import Kind, content_hash, encode

WEB = Monitor(type="https", host="www.example.com", expect=Expect(status=("200", "204")))
BODY: dict[str, Any] = {
    "targets": [
        {
            "slot": 3,
            "tag": 123,
            "address": "192.0.2.10",
            "probe_address": None,
            "monitor": "web",
            "nodes": ["fra1"],
        },
        {"slot": 4, "tag": 9, "address": "2001:db8::1", "monitor": None, "nodes": [], "new": 1},
    ],
    "monitors": {"web": WEB.model_dump()},
    "something": "newer",
}


def publish(data_dir: Path, octets: bytes, generation: int = 1) -> Path:
    """Write a generation whose targets section is ``octets``; the section's file."""
    (data_dir / "snapshot").mkdir(exist_ok=True)
    path = data_dir / "snapshot" / content_hash(octets)
    path.write_bytes(octets)
    entry = Entry(Kind.TARGETS, "targets", path.name, len(octets))
    write_manifest(data_dir, Manifest(generation, "2026-11-23T00:00:00Z", (entry,)))
    return path


def section(body: object) -> bytes:
    return encode(Kind.TARGETS, {"json": json.dumps(body).encode()})


def test_targets_are_read_and_unknown_fields_skipped(tmp_path: Path) -> None:
    publish(tmp_path, section(BODY), generation=7)
    watchlist, faults = read_watchlist(tmp_path)
    assert faults == []
    assert watchlist is not None
    first, second = watchlist.targets
    assert (watchlist.generation, first.slot, first.tag, first.probed) == (7, 3, 123, "192.0.2.10")
    assert str(first) == "web 192.0.2.10 (fra1)"
    assert watchlist.monitor_of(first) == WEB
    assert watchlist.monitor_of(second) is None


def test_without_a_manifest_there_is_nothing_to_watch(tmp_path: Path) -> None:
    assert read_watchlist(tmp_path) == (None, [])


def test_a_generation_without_targets_is_an_empty_watchlist(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest(2, "2026-11-23T00:00:00Z", ()))
    watchlist, _ = read_watchlist(tmp_path)
    assert watchlist is not None
    assert (watchlist.generation, watchlist.targets) == (2, ())


def test_a_spoilt_manifest_is_passed_over_and_named(tmp_path: Path) -> None:
    publish(tmp_path, section(BODY), generation=1)
    publish(tmp_path, section(BODY), generation=2)
    (tmp_path / "manifest").write_bytes(b"{")
    watchlist, faults = read_watchlist(tmp_path)
    assert watchlist is not None
    assert watchlist.generation == 1
    assert [fault.code for fault in faults] == ["bad_manifest"]


def spoil_octet(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-64])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(64))


@pytest.mark.parametrize("damage", [spoil_octet, cut_short, lengthen, Path.unlink])
def test_a_damaged_section_is_refused(tmp_path: Path, damage: Any) -> None:
    damage(publish(tmp_path, section(BODY)))
    with pytest.raises(ConfigError, match=r"Section .* (damaged|cannot be read)"):
        read_watchlist(tmp_path)


def first_target(**fields: object) -> dict[str, Any]:
    return {"targets": [BODY["targets"][0] | fields], "monitors": BODY["monitors"]}


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"GEODNSS1" + bytes(56),
        encode(Kind.TARGETS, {"text": b"{}"}),
        encode(Kind.TARGETS, {"json": b"\xff{"}),
        encode(Kind.TARGETS, {"json": b"[" * 100_000}),
        section([]),
        section({"targets": {}}),
        section(first_target(slot=-1)),
        section(first_target(slot=True)),
        section(first_target(tag=2**32)),
        section(first_target(address=5)),
        section(first_target(monitor="other")),
        section({**BODY, "monitors": {"web": {"type": "http", "interval_s": 0}}}),
        section({**BODY, "targets": [BODY["targets"][0]] * 2}),
    ],
    ids=range(14),
)
def test_senseless_targets_are_refused(tmp_path: Path, octets: bytes) -> None:
    publish(tmp_path, octets)
    with pytest.raises(ConfigError):
        read_watchlist(tmp_path)


def test_a_node_whose_site_nobody_knows_is_a_site_of_its_own(tmp_path: Path) -> None:
    targets = [
        {"slot": 0, "tag": 7, "address": "a.example", "nodes": ["a"], "slow_start_s": 30},
        {"slot": 1, "tag": 7, "address": "b.example", "nodes": ["b"]},
        {"slot": 2, "tag": 7, "address": "c.example", "nodes": []},
    ]
    body = {"targets": targets, "monitors": {"web": {"type": "http"}}, "sites": {"a": "fra"}}
    publish(tmp_path, section(body))
    watchlist, _ = read_watchlist(tmp_path)
    assert watchlist is not None
    sites = [watchlist.site_of(target) for target in watchlist.targets]
    assert sites == ["fra", "b", "c.example"]
    assert [target.slow_start_s for target in watchlist.targets] == [30, 0, 0]
