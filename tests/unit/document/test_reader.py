"""YAML is read by the 1.2 core schema, and what would surprise is refused by its place."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.document.reader import DEPTH_MAX, SIZE_MAX_CHARACTERS, read_yaml
from geodns.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("y", "y"),
        ("true", True), ("FALSE", False), ("tRUE", "tRUE"),
        ("null", None), ("~", None), ("", None), ('""', ""),
        ("12", 12), ("-3", -3), ("+3", 3), ("012", 12), ("0o17", 15), ("0x1F", 31),
        ("1_000", "1_000"), ("0b11", "0b11"), ("12:30:45", "12:30:45"),
        ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0), ("-1.5E-1", -0.15),
        ("2026-11-01", "2026-11-01"), ("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"),
        ("'12'", "12"), ('"true"', "true"), ("|\n true", "true"), ("=", "="),
    ],
)  # fmt: skip
def test_a_scalar_means_what_the_core_schema_says(text: str, value: object) -> None:
    result = read_yaml(text)
    assert (result, type(result)) == (value, type(value))


def test_keys_are_always_text_as_it_stands() -> None:
    assert read_yaml("{no: 1, 010: 2, ~: 3, 1e3: 4}") == {"no": 1, "010": 2, "~": 3, "1e3": 4}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: 1\nb: [1", "bad_yaml", "Line 3, column 1"),
        ("a: 1\nb: 2\na: 3", "duplicate", "Line 3, column 1"),
        ("a: {b: 1, b: 2}", "duplicate", "Line 1, column 11"),
        ("a: *x", "bad_yaml", "Line 1, column 4"),
        ("a: &x [1, *x]", "bad_yaml", "Line 1, column 11"),
        ("a: &x {b: {c: *x}}", "bad_yaml", "Line 1, column 15"),
        ("a: &x !!str 1", "bad_yaml", "Line 1, column 4"),
        ("a: &x [1]\n*x : 1", "bad_yaml", "Line 2, column 1"),
        ("- &x " + "[" * 40 + "]" * 40 + "\n- " + "[" * 30 + "*x" + "]" * 30, "too_deep", "Line 2"),
        ("a: !!str 1", "bad_yaml", "Line 1, column 4"),
        ("a: !x {}", "bad_yaml", "Line 1, column 4"),
        ("!!python/object/apply:os.system [x]", "bad_yaml", "Line 1, column 1"),
        ("<<: {a: 1}", "bad_yaml", "Line 1, column 1"),
        ("[a]: 1", "bad_yaml", "Line 1, column 1"),
        ("a\n---\nb", "bad_yaml", "Line 2, column 1"),
        (".inf", "bad_yaml", "Line 1, column 1"),
        ("- .nan", "bad_yaml", "Line 1, column 3"),
        ("- 1e999", "bad_yaml", "Line 1, column 3"),
        ("[" * (DEPTH_MAX + 1), "too_deep", f"Line 1, column {DEPTH_MAX + 1}"),
        ("\x00", "bad_yaml", ""),
        ("\ud800", "bad_yaml", ""),
    ],
)
def test_what_would_surprise_is_refused_by_line_and_column(
    text: str, code: str, place: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read_yaml(text)
    (reason,) = refused.value.reasons
    assert reason.code == code
    assert reason.detail.startswith(place)


def test_several_faults_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        read_yaml("a: !x 1\nb: *x\nb: 2")
    assert len(refused.value.reasons) == 3


def test_faults_are_bounded() -> None:
    with pytest.raises(ConfigError) as refused:
        read_yaml("- *x\n" * 100_000)
    assert len(refused.value.reasons) == 100


def test_a_text_beyond_the_bound_is_refused_unread() -> None:
    with pytest.raises(ConfigError, match="at most"):
        read_yaml(" " * (SIZE_MAX_CHARACTERS + 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="ascii")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab<=~0", max_size=9), inner),
    max_leaves=20,
).filter(lambda data: '"<<"' not in json.dumps(data))  # fmt: skip


@given(JSON)
def test_json_is_read_as_it_is(data: object) -> None:
    assert read_yaml(json.dumps(data)) == data


@given(st.text(max_size=200) | st.text("{}[]:-,&*!|>'\"%@`#?\n a1", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        json.dumps(read_yaml(text), allow_nan=False)


def test_an_alias_stands_for_what_its_anchor_names() -> None:
    text = "web: &web {type: http, n: &n 5}\nb: *web\nc: [*n, *n]\nd: &web x\ne: *web\n"
    web = {"type": "http", "n": 5}
    assert read_yaml(text) == {"web": web, "b": web, "c": [5, 5], "d": "x", "e": "x"}
    assert read_yaml("&k key: 1\nother: *k") == {"key": 1, "other": "key"}
    assert read_yaml("a: &no no\nb: {*no : 1}") == {"a": "no", "b": {"no": 1}}


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [lol, lol]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}{f', *a{i - 1}' * 9}]\n"
                                         for i in range(1, 30)),
        "a0: &a0 {}\n" + "".join(f"a{i}: &a{i} {{x: *a{i - 1}, y: *a{i - 1}}}\n"
                                 for i in range(1, 60)),
        f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1000)}]",
        f"a: &a {{{'x' * 1000}: 1}}\nb: [{', '.join(['*a'] * 10_000)}]",
    ],
    ids=["laughs", "mappings", "text", "keys"],
)  # fmt: skip
def test_aliases_are_bounded_by_what_they_come_to(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_yaml(text)
    assert caught.value.reasons[-1].code == "too_large"
    assert "Line " in caught.value.reasons[-1].detail


def test_every_pool_may_name_one_monitor() -> None:
    rest = "".join(f"p{number}: *m\n" for number in range(1000))
    text = "m: &m {type: http, port: 80, path: /healthz, expect: {status: [200-299]}}\n" + rest
    assert len(read_yaml(text)) == 1001  # type: ignore[arg-type]
