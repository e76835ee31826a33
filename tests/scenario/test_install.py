"""Installing for real: wheels and an editable install in fresh environments, with and without Rust.

Everything is built from a copy of the checkout and imported from outside of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CHECKOUT = Path(__file__).resolve().parents[2]
DATA_FILES = {"geodns-default.mmdb", "places.tsv.gz", "LICENSE-DBIP", "NOTICE", "README.md"}
LICENCE_FILES = {"LICENSE", "data/LICENSE-DBIP", "data/NOTICE"}

# --- With Rust ---


@pytest.fixture(scope="module")
def native_wheel(sdist: Path, cargo: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist, so the sdist is known to hold all that a build needs."""
    target = tmp_path_factory.mktemp("target")
    extra = {"GEODNS_REQUIRE_NATIVE": "1", "CARGO_TARGET_DIR": str(target)}
    return build_wheel(sdist, tmp_path_factory.mktemp("native"), environment(extra))


def test_wheel_with_rust_serves_every_python_from_3_11(native_wheel: Path) -> None:
    assert "-cp311-abi3-" in native_wheel.name
    assert "geodns/_native.abi3.so" in names_in(native_wheel)


def test_wheel_with_rust_leaves_the_rust_sources_out(native_wheel: Path) -> None:
    assert [name for name in names_in(native_wheel) if name.startswith("geodns/native")] == []


def test_install_with_rust_and_its_declared_dependencies_runs(
    native_wheel: Path, tmp_path: Path
) -> None:
    python = fresh_python(tmp_path)
    pip("--python", str(python), "install", str(native_wheel))
    assert run(python, "import geodns._native as n; print(hex(n.mix(0, 0)))") == HEX_MIX_0_0
    assert data_files_seen_by(python) >= DATA_FILES
    assert "Usage" in command(python, "--help")


# --- Without Rust ---


@pytest.fixture(scope="module", params=["no cargo", "no crates"])
def without_native(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The environment of a machine that cannot build the native engine, for either reason."""
    empty = str(tmp_path_factory.mktemp("empty"))
    if request.param == "no cargo":
        return environment({"PATH": empty})
    request.getfixturevalue("cargo")
    return environment({"CARGO_HOME": empty, "CARGO_NET_OFFLINE": "true"})


def test_install_without_native_engine_runs(
    checkout: Path, without_native: dict[str, str], tmp_path: Path
) -> None:
    wheel = build_wheel(checkout, tmp_path, without_native)
    python = fresh_python(tmp_path)
    pip("--python", str(python), "install", "--no-deps", str(wheel))
    assert run(python, FIND_NATIVE) == "None"
    assert data_files_seen_by(python) >= DATA_FILES
    assert "Usage" in command(python, "--help")


def test_requiring_the_native_engine_makes_its_absence_an_error(
    checkout: Path, without_native: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        build_wheel(checkout, tmp_path, {**without_native, "GEODNS_REQUIRE_NATIVE": "1"})


def test_build_without_rust_ships_nothing_of_an_earlier_build(
    checkout: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(checkout, tmp_path / "copy"))
    platform = f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
    for stale in (copy / "geodns", copy / "build" / platform / "geodns"):
        stale.mkdir(parents=True, exist_ok=True)
        (stale / "_native.abi3.so").write_bytes(b"stale")
    (copy / "build" / platform / "geodns" / "removed_since.py").touch()
    wheel = build_wheel(copy, tmp_path, environment({"PATH": str(tmp_path / "nothing")}))
    assert {"geodns/_native.abi3.so", "geodns/removed_since.py"}.isdisjoint(names_in(wheel))


def test_editable_install_finds_sources_and_data_in_place(checkout: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(checkout, tmp_path / "copy"))
    python = fresh_python(tmp_path)
    no_rust = environment({"PATH": str(tmp_path / "nothing")})
    pip("--python", str(python), "install", "--no-deps", "--editable", str(copy), env=no_rust)
    assert data_files_seen_by(python) >= DATA_FILES
    assert run(python, "import geodns; print(geodns.__file__)") == str(copy / "geodns/__init__.py")


# --- What is in the archives ---


@pytest.fixture(scope="module")
def plain_wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    return build_wheel(checkout, folder, environment({"PATH": str(folder / "nothing")}))


def test_wheel_holds_every_licence(plain_wheel: Path) -> None:
    held = names_in(plain_wheel)
    missing = [
        licence
        for licence in LICENCE_FILES
        if not any(name.endswith(f".dist-info/licenses/{licence}") for name in held)
    ]
    assert missing == []


def test_wheel_holds_the_data_without_its_builder(plain_wheel: Path) -> None:
    held = {name for name in names_in(plain_wheel) if name.startswith("geodns/data/")}
    assert {f"geodns/data/{name}" for name in DATA_FILES} <= held
    assert {name for name in held if name.endswith(".py")} == {"geodns/data/__init__.py"}


def test_sdist_holds_the_rust_sources_and_their_lock(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    sources = {"core/src/lib.rs", "py/src/lib.rs", "Cargo.toml", "Cargo.lock"}
    assert {f"geodns/native/{name}" for name in sources} <= held
    assert "geodns/native/target" not in held


# --- Helpers ---

HEX_MIX_0_0 = "0x48218226ff3cd4bf"
FIND_NATIVE = "import importlib.util as u; print(u.find_spec('geodns._native'))"
LIST_DATA = (
    "from importlib.resources import files; "
    "print(*(f.name for f in files('geodns.data').iterdir() if f.is_file()))"
)
NOT_SOURCES = (".git", ".*cache", ".venv", ".hypothesis", "build", "target", "*.egg-info", "*.so")
BUILD_SDIST = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, without anything that was built in the checkout."""
    copy = tmp_path_factory.mktemp("checkout") / "geodns"
    shutil.copytree(CHECKOUT, copy, ignore=shutil.ignore_patterns("__pycache__", *NOT_SOURCES))
    return copy


@pytest.fixture(scope="module")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    copy = shutil.copytree(checkout, folder / "copy")
    python = fresh_python(folder)
    pip("--python", str(python), "install", "setuptools>=77", "setuptools-rust>=1.13")
    checked([str(python), "-c", BUILD_SDIST, str(folder)], environment(), cwd=copy)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def cargo() -> None:
    if shutil.which("cargo") is None:
        assert not os.environ.get("GEODNS_REQUIRE_NATIVE"), "cargo is required but not on PATH"
        pytest.skip("no cargo on PATH: the native engine cannot be built here")


def build_wheel(source: Path, folder: Path, env: Mapping[str, str]) -> Path:
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(source), env=env)
    return next(folder.glob("*.whl"))


def fresh_python(folder: Path) -> Path:
    """The interpreter of a new, empty environment outside the checkout."""
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    return folder / "venv" / "bin" / "python"


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def data_files_seen_by(python: Path) -> set[str]:
    return set(run(python, LIST_DATA).split())


def run(python: Path, code: str) -> str:
    return checked([str(python), "-c", code], environment(), cwd=python.parent)


def command(python: Path, *arguments: str) -> str:
    """What the installed ``geodns`` says; libraries come from here if it was installed alone."""
    env = environment({"PYTHONPATH": sysconfig.get_path("purelib")})
    return checked([str(python.parent / "geodns"), *arguments], env, cwd=python.parent)


def pip(*arguments: str, env: Mapping[str, str] | None = None) -> None:
    checked([sys.executable, "-m", "pip", "--quiet", *arguments], env or environment())


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    ours = ("GEODNS_", "CARGO_", "PYTHON", "PYO3_", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)} | dict(extra or {})


def checked(arguments: list[str], env: Mapping[str, str], cwd: Path | None = None) -> str:
    done = subprocess.run(
        arguments, env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        print(done.stdout, done.stderr)  # noqa: T201  pytest shows it with the failure
    done.check_returncode()
    return done.stdout.strip()
