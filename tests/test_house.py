"""House rules that a machine can check: sizes, what documents promise, what no file may name."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

import geodns
from geodns.settings import markdown

ROOT = Path(__file__).resolve().parents[1]
MAX_LINES = 350  # no reference; the house aims at 300 and this leaves room for a docstring


def test_no_source_file_outgrows_its_reader() -> None:
    sources = [
        file
        for file in tracked_files()
        if file.suffix in {".py", ".rs"} and file.parts[0] in {"geodns", "tests"}
    ]
    assert sources
    lengths = {str(file): len(text_of(file).splitlines()) for file in sources}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_module_lists_its_names_twice() -> None:
    modules = [file for file in tracked_files() if file.suffix == ".py"]
    assert [str(file) for file in modules if re.search(r"^__all__\b", text_of(file), re.M)] == []


# In two parts, so that this file does not name what no file may name.
MACHINE_PATHS = ("/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/")
REGISTRY_HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org")


@pytest.mark.parametrize("path", MACHINE_PATHS)
def test_no_file_names_a_path_of_one_machine(path: str) -> None:
    begins_there = re.compile(rf"(?<![\w.~]){re.escape(path)}")
    assert [str(file) for file in tracked_files() if begins_there.search(text_of(file))] == []


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_the_host_of_a_registry(host: str) -> None:
    assert [str(file) for file in tracked_files() if host in text_of(file)] == []


def test_every_path_in_the_architecture_exists() -> None:
    named = set(re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", text_of(Path("ARCHITECTURE.md"))))
    paths = {name for name in named if looks_like_path(name)}
    assert paths
    assert {name for name in paths if not any((base / name).exists() for base in BASES)} == set()


def test_top_of_the_changelog_is_the_version() -> None:
    found = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", text_of(Path("CHANGELOG.md")), re.M)
    assert found is not None
    assert found[1] == geodns.__version__


def test_native_engine_has_the_version_of_the_package() -> None:
    manifest = tomllib.loads(text_of(Path("geodns/native/Cargo.toml")))
    assert manifest["workspace"]["package"]["version"] == geodns.__version__


def test_every_row_of_the_checklist_names_a_test() -> None:
    rows = [line for line in text_of(CHECKLIST).splitlines() if is_row(line)]
    assert rows
    assert [row for row in rows if not re.search(r"tests/[\w/]+|\.rs\b", row)] == []


def test_every_test_in_the_checklist_exists() -> None:
    named = set(re.findall(r"\b([\w/.-]+/[\w.-]+\.(?:py|rs))(?:::(\w+))?", text_of(CHECKLIST)))
    assert named
    gone = {f"{file}::{name}" for file, name in named if not has_test(ROOT / file, name)}
    assert gone == set()


# --- Helpers ---

CHECKLIST = Path("tests/CHECKLIST.md")
BASES = (ROOT, ROOT / "geodns")
FOLDERS = ("geodns/", "data/", "tests/", "deploy/", ".ci/")
SUFFIXES = (".py", ".pyi", ".rs", ".toml", ".md", ".yaml", ".service", ".mmdb")


@cache
def tracked_files() -> tuple[Path, ...]:
    """What is in git, relative to the top; all rules are about that."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files are ours")
    files = (Path(name) for name in listed.stdout.split("\0") if name)
    return tuple(file for file in files if (ROOT / file).is_file())


def text_of(file: Path) -> str:
    return (ROOT / file).read_text(encoding="utf-8", errors="replace")


def looks_like_path(name: str) -> bool:
    return name.startswith(FOLDERS) or name.endswith(SUFFIXES)


def is_row(line: str) -> bool:
    """A row of the table proper: neither its heading nor the ruler below it."""
    return line.startswith("|") and not re.match(r"\|\s*(item\b|:?-+)", line)


def has_test(file: Path, name: str) -> bool:
    if not file.is_file():
        return False
    if file.suffix == ".rs":
        return not name or f"fn {name}()" in file.read_text(encoding="utf-8")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return not name or any(
        isinstance(node, functions) and node.name == name for node in ast.walk(tree)
    )


def test_the_settings_documented_are_those_there_are() -> None:
    assert markdown() in text_of(Path("deploy/README.md"))
