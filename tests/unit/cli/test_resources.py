"""list, show, add, set and remove, and their exit codes, against a real API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Commands = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("server")


def test_a_resource_is_added_shown_set_listed_and_removed(run: Commands) -> None:
    added = run("node", "add", "fra1", "addresses=192.0.2.1,2001:db8::1", "location=50.1,8.7")
    assert (added.code, added.out) == (0, "node fra1 added, revision 1\n")
    assert run("node", "set", "fra1", "location.lat=51", "labels.tier=edge").code == 0
    shown = run("node", "show", "fra1", "--output", "json").data
    assert shown["addresses"] == ["192.0.2.1", "2001:db8::1"]
    assert (shown["location"], shown["labels"]) == ({"lat": 51.0, "lon": 8.7}, {"tier": "edge"})
    assert run("node", "list").out.splitlines() == [
        "ID    STATE  ADDRESSES               LOCATION  WEIGHT  LABELS",
        "fra1  up     192.0.2.1, 2001:db8::1  51.0,8.7  100     tier=edge",
    ]
    assert run("node", "remove", "fra1").out == "node fra1 removed\n"
    assert run("node", "show", "fra1").code == 2


def test_add_refuses_what_exists_and_says_how_to_change_it(run: Commands) -> None:
    run("pool", "add", "web", "select.tier=edge")
    again = run("pool", "add", "web", "order=listed")
    assert (again.code, again.out) == (3, "")
    assert "already" in again.err or "exists" in again.err
    assert "geodns pool set web" in again.err


def test_set_refuses_what_does_not_exist(run: Commands) -> None:
    refused = run("node", "set", "fra1", "weight=5")
    assert refused.code == 2
    assert refused.err.startswith("geodns: There is no node fra1. There is no node yet; add one: ")


def test_set_wants_something_to_set(run: Commands) -> None:
    assert run("node", "set", "fra1").code == 2


def test_an_emptied_field_has_its_default_again(run: Commands) -> None:
    run("node", "add", "fra1", "addresses=192.0.2.1", "location=50.1,8.7", "weight=7", "labels.a=b")
    run("node", "set", "fra1", "weight=", "labels.a=")
    shown = run("node", "show", "fra1", "-o", "json").data
    assert (shown["weight"], shown["labels"]) == (100, {})


def test_every_fault_is_on_its_own_line_with_pointer_and_value(run: Commands) -> None:
    refused = run("node", "add", "fra1", "addresses=192.0.2.1", "location=91,8.7", "weight=5000")
    lines = refused.err.splitlines()
    assert (refused.code, len(lines)) == (2, 2)
    assert lines[0].startswith("geodns: /location/lat: ")
    assert "91" in lines[0]
    assert lines[1].startswith("geodns: /weight: ")
    assert "5000" in lines[1]


def test_faults_of_form_are_told_at_once_and_before_the_server_is_asked(run: Commands) -> None:
    refused = run("node", "set", "fra1", "weight", "location=here", "labels.a=b", "labels.a=c")
    assert refused.code == 2
    assert len(refused.err.splitlines()) == 3


def test_what_the_server_notes_goes_to_stderr(run: Commands) -> None:
    added = run("node", "add", "fra1", "addresses=192.0.2.1", "-o", "json")
    assert added.data["location"] == {"lat": 50.11, "lon": 8.68}
    assert "warnings" not in added.data
    assert "geodns: note: /location: Placed at 50.11, 8.68" in added.err


def test_what_is_in_use_is_not_removed(run: Commands) -> None:
    run("node", "add", "fra1", "addresses=192.0.2.1")
    run("pool", "add", "web", "nodes=fra1")
    refused = run("node", "remove", "fra1")
    assert (refused.code, refused.out) == (3, "")
    assert "pool web" in refused.err


def test_a_brake_holds_until_it_is_forced_with_a_reason(run: Commands, filled: Path) -> None:
    shrink = ("pool", "set", "web", "nodes=fra1")
    assert run(*shrink).code == 3
    assert run(*shrink, "--force").code == 2
    assert run(*shrink, "--reason", "only one is left").code == 3
    assert run(*shrink, "--force", "--reason", "only one is left").code == 0


def test_an_id_cannot_lead_elsewhere_in_the_api(run: Commands) -> None:
    for id_ in ("../document", "a/b", "a?force=true", "%2e%2e"):
        assert run("node", "show", id_).code == 2


def test_the_root_zone_may_be_named_by_its_dot(run: Commands) -> None:
    assert run("zone", "add", ".", "nameservers=[{name: a., addresses: [192.0.2.1]}]").code == 0
    assert run("rrset", "add", ".", "www", "TXT", "text").code == 0
    assert run("rrset", "show", "@", "www", "TXT", "--output", "json").data["values"] == ["text"]
    assert run("zone", "remove", ".", "--force", "--reason", "a test").code == 0


def test_terminal_controls_from_elsewhere_are_made_visible(run: Commands) -> None:
    run("node", "add", "fra1", "addresses=192.0.2.1")
    shown = run("node", "show", "fra1").out
    assert "\x1b" not in shown
    assert "HTTP \\x1b[31m" in shown


def test_an_empty_list_says_how_to_fill_it(run: Commands) -> None:
    assert "geodns node add fra1 addresses=" in run("node", "list").out
    assert run("node", "list", "-o", "json").data == []


def test_lists_are_followed_over_pages(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodns.cli.resources.PAGE", 2)
    for number in range(5):
        run("monitor", "add", f"m{number}", "type=http")
    found = run("monitor", "list", "-o", "json").data
    assert [item["id"] for item in found] == [f"m{number}" for number in range(5)]


# --- RRsets and steers ---


def test_an_rrset_is_added_shown_set_listed_and_removed(run: Commands, filled: Path) -> None:
    where = ("example.com", "a.b", "TXT")
    assert run("rrset", "add", *where, '"hello world"', "second", "--ttl", "60").code == 0
    shown = run("rrset", "show", *where, "-o", "json").data
    assert (shown["values"], shown["ttl"]) == (['"hello world"', "second"], 60)
    assert run("rrset", "set", *where, "--ttl", "0").code == 0
    assert run("rrset", "show", *where, "-o", "json").data["ttl"] == 0
    listed = run("rrset", "list", "example.com").out.splitlines()
    assert listed[0].split() == ["ZONE", "OWNER", "TYPE", "TTL", "VALUES"]
    assert listed[1].split(maxsplit=4)[:4] == ["example.com", "a.b", "TXT", "0"]
    assert run("rrset", "list").out.splitlines() == listed
    assert run("rrset", "remove", *where).code == 0
    assert run("rrset", "show", *where).code == 2


def test_an_existing_rrset_is_not_added_again(run: Commands, filled: Path) -> None:
    refused = run("rrset", "add", "example.com", "mail", "A", "192.0.2.26")
    assert refused.code == 3
    assert "geodns rrset set example.com mail A" in refused.err


def test_owners_with_odd_octets_keep_them(run: Commands, filled: Path) -> None:
    assert run("rrset", "add", "example.com", r"a\047b", "A", "192.0.2.9").code == 0
    assert run("rrset", "show", "example.com", r"a\047b", "A").code == 0


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("example.com", "@"),
        ("WWW.Example.COM.", "www"),
        ("a.b.example.com", "a.b"),
        ("www.sub.example.com", "www"),
    ],
)
def test_steer_finds_the_zone_by_the_longest_match(
    run: Commands, filled: Path, name: str, owner: str
) -> None:
    run("zone", "add", "sub.example.com", "nameservers=ns1.example.net")
    assert run("steer", name, "web", "--ttl", "17").code == 0
    zones = run("export", "-o", "json").data["zones"]
    zone = "sub.example.com" if ".sub." in name else "example.com"
    assert zones[zone]["steers"][owner] == {"pool": "web", "ttl": 17}


def test_steer_changes_the_pool_and_keeps_the_ttl(run: Commands, filled: Path) -> None:
    run("pool", "add", "other", "nodes=fra1")
    run("steer", "www.example.com", "web", "--ttl", "17")
    run("steer", "www.example.com", "other")
    steers = run("export", "-o", "json").data["zones"]["example.com"]["steers"]
    assert steers["www"] == {"pool": "other", "ttl": 17}


def test_steer_can_be_undone(run: Commands, filled: Path) -> None:
    assert run("steer", "www.example.com", "--remove").code == 0
    assert "steers" not in run("export", "-o", "json").data["zones"]["example.com"]


@pytest.mark.parametrize(
    "words",
    [
        ("www.example.org", "web"),
        ("www.example.com", "nothing"),
        ("www.example.com", "web", "--remove"),
        ("www.example.com", "web", "--split", "web=1"),
        ("www.example.com", "--split", "web"),
        ("www.example.com", "--split", "web=1", "--split", "web=2"),
        ("www.example.com", "--split", "web=0"),
        ("nothing.example.com",),
        ("www..example.com", "web"),
    ],
)
def test_steer_refuses_what_it_cannot_do(
    run: Commands, filled: Path, words: tuple[str, ...]
) -> None:
    refused = run("steer", *words)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("geodns: ")


def test_a_list_is_filtered_by_the_api(filled: Path, run: Commands) -> None:
    assert [each["id"] for each in run("node", "list", "prefix=m", "-o", "json").data] == ["mil1"]
    assert run("node", "list", "prefix=x").out == "There is no node like this.\n"
    assert run("node", "list", "state").err.startswith('geodns: "state" is no filter.')
    assert run("node", "list", "stat=up").code == 2


def test_a_zone_goes_out_and_comes_in_as_a_master_file(
    filled: Path, run: Commands, tmp_path: Path
) -> None:
    text = run("zone", "export", "example.com").out
    assert "mail" in text
    (tmp_path / "zone").write_text(text.replace("192.0.2.25", "192.0.2.26"))
    imported = run("zone", "import", "example.com", str(tmp_path / "zone"))
    assert imported.out == "zone example.com imported, revision 2\n"
    assert "192.0.2.26" in run("rrset", "show", "example.com", "mail", "A").out
    assert run("zone", "export", "exmple.com").err.endswith("Did you mean example.com?\n")
