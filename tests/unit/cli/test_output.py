"""What is printed: cells, tables, YAML that is read back as it was."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from geodns.cli.output import Output, cell, plain, to_yaml, write_data, write_object, write_table
from geodns.document.reader import read_yaml

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x85\ufeff"), max_size=12)
numbers_of_yaml_1_2 = st.sampled_from(
    [
        "1e3",
        "0o17",
        "0x1F",
        "+1",
        "-.5",
        "1.",
        ".inf",
        "010",
        "1_000",
        "NO",
        "null",
        "~",
        "",
        "12:30",
    ]
)
leaf = (
    texts
    | numbers_of_yaml_1_2
    | st.booleans()
    | st.none()
    | st.integers(-(10**9), 10**9)
    | st.floats(-1e6, 1e6)
)
data = st.recursive(
    leaf,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts | numbers_of_yaml_1_2, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(data)
def test_yaml_is_read_back_as_it_was_written(value: object) -> None:
    assert read_yaml(to_yaml(value)) == value


@given(st.dictionaries(texts, leaf, max_size=4))
def test_readers_of_yaml_1_1_take_it_for_the_same(value: dict[str, object]) -> None:
    assert yaml.safe_load(to_yaml(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (5, "5"),
        (2.5, "2.5"),
        (["a", "b"], "a, b"),
        ({"lat": -1.5, "lon": 20}, "-1.5,20"),
        ({"tier": "edge", "site": "fra"}, "tier=edge site=fra"),
        ([{"name": "ns1", "addresses": ["192.0.2.1"]}], "ns1 (192.0.2.1)"),
    ],
)
def test_a_cell_shows(value: object, text: str) -> None:
    assert cell(value) == text


def test_a_table_aligns_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(["id", "since_ms"], [["a", "1"], ["long", ""]])
    assert capsys.readouterr().out == "ID    SINCE MS\na     1\nlong\n"


def test_a_table_on_a_terminal_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    write_table(["id", "text"], [["a", "[red]x\x1b[0m"]])
    words = sys.stdout.getvalue().split()  # type: ignore[attr-defined]
    assert words == ["ID", "TEXT", "a", r"[red]x\x1b[0m"]


def test_lists_in_an_object_are_tables_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"number": 0, "counters": {"udp": 3, "tcp": 0}}, {"number": 1, "note": "x"}]
    write_object({"workers": rows, "health": {"ready": True, "targets": [{"state": "up"}]}})
    assert capsys.readouterr().out.splitlines() == [
        "health.ready  yes",
        "",
        "workers:",
        "NUMBER  COUNTERS  NOTE",
        "0       udp=3",
        "1                 x",
        "",
        "health.targets:",
        "STATE",
        "up",
    ]


def test_controls_are_made_visible_and_letters_are_kept() -> None:
    assert plain("Zürich → \x1b[2J\x00\n\u202e") == r"Zürich → \x1b[2J\x00\n\u202e"


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    write_data({"a": ["ü"]}, Output.JSON)
    assert capsys.readouterr().out == '{\n  "a": [\n    "ü"\n  ]\n}\n'


def test_a_reader_that_leaves_is_left_quietly() -> None:
    program = "from geodns.cli.output import write\nfor _ in range(99): write('x' * 65536)"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 141)
