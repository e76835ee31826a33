"""plan, apply, export and check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from geodns.cli.documents import _as_json

Commands = Callable[..., Any]


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> str:
    document = yaml.safe_load(path.read_text())
    change(document)
    path.write_text(yaml.safe_dump(document))
    return str(path)


def test_what_is_exported_plans_to_no_change(run: Commands, filled: Path, tmp_path: Path) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(run("export").out)
    planned = run("plan", str(path), "--exit-code")
    assert (planned.code, planned.out) == (0, "nothing to change\n")
    assert run("check", str(path)).code == 0


def test_json_is_exported_and_taken_too(run: Commands, filled: Path, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(run("export", "--output", "json").out)
    assert run("apply", str(path)).out == "nothing to change, revision 1\n"


def test_a_document_is_no_table(run: Commands, filled: Path) -> None:
    assert run("export", "--output", "table").code == 2


def test_a_plan_names_each_field_and_changes_nothing(
    run: Commands, filled: Path, document: Path
) -> None:
    def change(content: dict[str, Any]) -> None:
        content["nodes"]["fra1"]["weight"] = 7
        content["monitors"]["tcp"] = {"type": "tcp", "port": 443}
        del content["zones"]["example.com"]["rrsets"]

    planned = run("plan", edit(document, change), "--prune", "--exit-code")
    assert planned.code == 5
    assert planned.out.splitlines() == [
        "+ /monitors/tcp",
        "    type: tcp",
        "    port: 443",
        "~ /nodes/fra1",
        "    weight: (default) → 7",
        "- /zones/example.com/rrsets/mail/A",
        "1 to add, 1 to change, 1 to remove",
    ]
    assert run("node", "show", "fra1", "-o", "json").data["weight"] == 100


def test_a_plan_without_exit_code_is_done_when_it_has_changes(
    run: Commands, server: Path, document: Path
) -> None:
    assert run("plan", str(document)).code == 0
    assert len(run("plan", str(document), "-o", "json").data["changes"]) == 8


def test_apply_prunes_only_when_it_is_told_to(run: Commands, filled: Path, document: Path) -> None:
    path = edit(document, lambda content: content["zones"]["example.com"].pop("rrsets"))
    run("apply", path)
    assert run("rrset", "show", "example.com", "mail", "A").code == 0
    assert run("apply", path, "--prune").code == 0
    assert run("rrset", "show", "example.com", "mail", "A").code == 2


def test_apply_stops_at_a_brake_until_it_is_forced(
    run: Commands, filled: Path, document: Path
) -> None:
    path = edit(document, lambda content: content["pools"]["web"].update(nodes=["fra1"]))
    planned = run("plan", path)
    assert (planned.code, "brake" in planned.err) == (0, True)
    refused = run("apply", path)
    assert (refused.code, refused.out) == (3, "")
    assert "Pool web would lose" in refused.err
    assert run("apply", path, "--force", "--reason", "shrinking", "--wait").code == 0


def test_a_refused_document_changes_nothing_and_tells_all(
    run: Commands, filled: Path, document: Path
) -> None:
    def spoil(content: dict[str, Any]) -> None:
        content["nodes"]["fra1"]["location"]["lat"] = 95.2
        content["pools"]["web"]["nodez"] = []

    refused = run("apply", edit(document, spoil))
    assert refused.code == 2
    told = refused.err.splitlines()
    assert len(told) == 2
    assert any("/nodes/fra1/location/lat" in line and "95.2" in line for line in told)
    assert any("/pools/web/nodez" in line for line in told)


# --- check works without any server ---


def test_a_sound_document_is_called_sound(run: Commands, document: Path) -> None:
    checked = run("check", str(document))
    assert (checked.code, checked.out) == (0, f"{document} is sound\n")


def test_check_reports_what_spans_resources(run: Commands, document: Path) -> None:
    def spoil(content: dict[str, Any]) -> None:
        content["pools"]["web"]["nodes"] += ["mil9"]
        content["nodes"]["nyc1"]["addresses"] = ["192.0.2.10"]

    refused = run("check", edit(document, spoil))
    assert refused.code == 2
    assert "/pools/web/nodes/3: No node mil9." in refused.err
    assert "/nodes/nyc1/addresses/0: " in refused.err


def test_check_reports_both_sorts_of_faults_at_once(run: Commands, document: Path) -> None:
    def spoil(content: dict[str, Any]) -> None:
        content["pools"]["web"]["nodes"] += ["mil9"]
        content["nodes"]["fra1"]["location"]["lat"] = 95.2
        del content["nodes"]["mil1"]["location"]

    refused = run("check", edit(document, spoil))
    assert refused.code == 2
    assert "/pools/web/nodes/3: No node mil9. Did you mean mil1?" in refused.err
    assert "/nodes/fra1/location/lat: Must be at most 90, not 95.2." in refused.err
    assert "/nodes/mil1" not in refused.err


def test_check_places_nodes_as_a_server_would(run: Commands, document: Path) -> None:
    def forget(content: dict[str, Any]) -> None:
        for name, address in (("fra1", "8.8.8.8"), ("mil1", "192.0.2.20")):
            del content["nodes"][name]["location"]
            content["nodes"][name]["addresses"] = [address]

    refused = run("check", edit(document, forget))
    assert refused.code == 2
    assert "/nodes/mil1/location" in refused.err
    assert "/nodes/fra1" not in refused.err


def test_check_tells_notes_and_passes(run: Commands, document: Path) -> None:
    path = edit(document, lambda content: content["pools"]["web"].pop("monitor"))
    checked = run("check", path)
    assert checked.code == 0
    assert "geodns: note: /pools/web/monitor: " in checked.err
    assert run("check", path, "-o", "json").data["warnings"]


@pytest.mark.parametrize(
    ("octets", "what"), [(b"a: [", "Line 2"), (b"\xff", "UTF-8"), (None, "No such file")]
)
def test_a_file_that_is_no_document_is_named(
    run: Commands, tmp_path: Path, octets: bytes | None, what: str
) -> None:
    path = tmp_path / "bad.yaml"
    if octets is not None:
        path.write_bytes(octets)
    for command in ("check",):
        refused = run(command, str(path))
        assert refused.code == 2
        assert str(path) in refused.err
        assert what in refused.err


def test_a_saved_plan_is_applied_only_while_nothing_has_changed(
    run: Commands, filled: Path, document: Path, tmp_path: Path
) -> None:
    def change(content: dict[str, Any]) -> None:
        content["nodes"]["fra1"]["weight"] = 7

    saved = tmp_path / "plan.json"
    assert run("plan", edit(document, change), "--save", str(saved)).code == 0
    assert saved.stat().st_mode & 0o777 == 0o600
    run("node", "set", "mil1", "weight=9")
    refused = run("apply", str(saved))
    assert (refused.code, "revision" in refused.err) == (3, True)
    assert run("node", "show", "fra1", "-o", "json").data["weight"] == 100
    assert run("plan", str(document), "--save", str(saved)).code == 0
    assert run("apply", str(saved)).out == "applied, revision 3\n"
    assert run("node", "show", "fra1", "-o", "json").data["weight"] == 7


def test_a_document_may_have_several_files_and_variables(
    run: Commands, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEW_ADDRESS", "198.51.100.77")
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("geodns: 1\nmonitors: {tcp: {type: tcp, port: 443}}\n")
    two.write_text(
        "geodns: 1\nenv: [NEW_ADDRESS]\n"
        "nodes: {new: {addresses: ['${NEW_ADDRESS}'], location: {lat: 1, lon: 2}}}\n"
    )
    assert run("apply", str(one), str(two)).code == 0
    assert run("node", "show", "new", "-o", "json").data["addresses"] == ["198.51.100.77"]
    two.write_text("geodns: 1\nmonitors: {tcp: {type: tcp, port: 444}}\n")
    refused = run("plan", str(one), str(two))
    assert (refused.code, "two.yaml says otherwise" in refused.err) == (2, True)
    assert run("schema").data["title"] == "geodns document"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"a": [1, 2.5, "x", null, true]}', {"a": [1, 2.5, "x", None, True]}),
        ('{"a": 1, "a": 2}', None),
        ('{"a": NaN}', None),
        ('{"a": 1} x', None),
        ('{"a": ' * 100_000, None),
        ('{"a": "\\ud800"}', None),
        ("{a: 1}", None),
        ("[1]", None),
    ],
)
def test_json_is_read_as_json_and_all_else_as_yaml(text: str, data: object) -> None:
    assert _as_json(text) == data


def test_every_fault_has_the_line_of_its_file(run: Commands, tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.json"
    one.write_text("geodns: 1\nnodes:\n  fra1:\n    addresses: [192.0.2.1]\n    weight: -1\n")
    other.write_text('{"nodes":\n {"mil1":\n  {"addresses": ["x"]}}}')
    refused = run("check", str(one), str(other))
    assert refused.code == 2
    assert f"geodns: {one}:5: /nodes/fra1/weight: " in refused.err
    assert f"geodns: {other}:3: /nodes/mil1/addresses/0: " in refused.err


def test_what_a_server_refuses_has_lines_too(run: Commands, filled: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("geodns: 1\npools:\n  p:\n    nodes:\n      - nowhere\n")
    for command in ("plan", "apply"):
        refused = run(command, str(file))
        assert refused.code == 2
        assert f"geodns: {file}:5: /pools/p/nodes/0: No node nowhere." in refused.err
