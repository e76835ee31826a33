"""Splits, networks, places and latency tables by command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

Commands = Any

CSV = "from,node,rtt_ms,samples\nEU-DE,fra1,12.5,100\n"


def test_a_name_is_split_among_pools(run: Commands, filled: Path) -> None:
    run("pool", "add", "canary", "nodes=fra1", "fallback=web")
    name = "beta.example.com"
    assert run("steer", name, "--split", "web=95", "--split", "canary=5").code == 0
    steers = run("export", "-o", "json").data["zones"]["example.com"]["steers"]
    assert steers["beta"] == {"split": {"web": 95, "canary": 5}}
    assert run("steer", name, "--split", "canary=1").code == 0
    assert run("steer", name, "-o", "json").data["split"] == {"canary": 1}
    assert run("steer", name, "web", "--ttl", "9").out.startswith("beta.example.com steered to web")
    steers = run("export", "-o", "json").data["zones"]["example.com"]["steers"]
    assert steers["beta"] == {"pool": "web", "ttl": 9}


def test_a_steer_is_shown_with_the_entries_that_caches_will_hold(
    run: Commands, filled: Path
) -> None:
    shown = run("steer", "www.example.com").out
    assert "pool" in shown
    assert run("steer", "www.example.com", "-o", "json").data["status"] == {
        "cache_entries": {"v4": 9, "v6": 4},
        "classes": 3,
    }


def test_a_network_is_added_at_a_place_and_listed_with_its_point(
    run: Commands, server: Path
) -> None:
    added = run("network", "add", "office", "subnets=198.51.101.0/24,2a00:0:7::/48", "at=MXP")
    assert added.code == 0
    listed = run("network", "list").out.splitlines()
    assert listed[0].split() == ["ID", "SUBNETS", "LOCATION"]
    assert listed[1].split() == ["office", "198.51.101.0/24,", "2a00:0:7::/48", "45.63,8.73"]
    assert run("network", "set", "office", "location=1,2").code == 0
    assert run("network", "show", "office", "-o", "json").data["at"] is None
    assert run("network", "remove", "office").code == 0


def test_a_node_shows_the_point_of_its_place(run: Commands, server: Path) -> None:
    assert run("node", "add", "fra1", "addresses=192.0.2.10", "at=Frankfurt, DE").code == 0
    assert "50.12,8.68" in run("node", "list").out
    assert "50.12" in run("node", "show", "fra1").out
    refused = run("node", "add", "x", "addresses=192.0.2.11", "at=Springfield")
    assert refused.code == 2
    assert "Springfield, US-IL" in refused.err


def test_a_latency_table_is_set_listed_shown_and_removed(
    run: Commands, filled: Path, tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    file.write_text(CSV)
    assert "latency set measured" in run("latency", "list").out
    assert run("latency", "set", "measured", str(file)).out.startswith(
        "latency measured set, 1 rows, revision "
    )
    assert run("latency", "list").out.splitlines()[1].split() == ["measured", "1", "1"]
    assert run("latency", "show", "measured").out == CSV
    assert run("latency", "remove", "measured").code == 0
    assert run("latency", "show", "measured").code == 2


@pytest.mark.parametrize("text", ["EU-DE,fra9,1,1", "nonsense", ""])
def test_a_bad_latency_table_is_refused(
    run: Commands, filled: Path, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "table.csv"
    file.write_text(CSV + text if text else "")
    refused = run("latency", "set", "measured", str(file))
    assert (refused.code, refused.out) == (2, "")
    assert "Line " in refused.err


def test_a_latency_file_that_is_not_there_is_refused(run: Commands, filled: Path) -> None:
    refused = run("latency", "set", "measured", "absent.csv")
    assert (refused.code, refused.err) == (
        2,
        "geodns: absent.csv cannot be read: No such file or directory.\n",
    )


def test_check_takes_named_places_and_rules(run: Commands, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("""
geodns: 1
zones:
  example.com:
    nameservers: [ns1.example.net]
    steers: {www: {pool: web, rules: [{geos: [EU28], pool: web}]}}
pools: {web: {nodes: [fra1]}}
nodes: {fra1: {addresses: [192.0.2.1], at: FRA}}
""")
    refused = run("check", str(file))
    assert refused.code == 2
    assert "Did you mean EU27?" in refused.err
    file.write_text(file.read_text().replace("EU28", "EU27"))
    assert run("check", str(file)).code == 0
