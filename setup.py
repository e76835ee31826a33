"""The part of the build that depends on the machine: the native engine, if it can be built.

Without Rust, or without its crates, geodns installs all the same and runs on the reference
engine. GEODNS_REQUIRE_NATIVE=1 makes a missing native engine an error.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build import build
from setuptools.command.build_py import build_py
from setuptools_rust import Binding, RustExtension
from setuptools_rust.build import build_rust


class CleanBuild(build):
    """Start from nothing, so that a wheel never holds what an earlier build left behind."""

    def run(self) -> None:
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class BuildPython(build_py):
    """Take the data without the builder of the default database, which needs the checkout."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        modules: list[tuple[str, str, str]] = super().find_package_modules(package, package_dir)
        return [m for m in modules if package != "geodns.data" or m[1] == "__init__"]


class BuildNative(build_rust):
    """Build the extension, or leave none: an old one beside newer Python would be worse."""

    def run(self) -> None:
        for extension in self.extensions:
            Path(self.get_dylib_ext_path(extension, extension.name)).unlink(missing_ok=True)
        super().run()


NATIVE = RustExtension(
    "geodns._native",
    path="geodns/native/py/Cargo.toml",
    binding=Binding.PyO3,
    cargo_manifest_args=["--locked"],
    py_limited_api=True,  # an editable install too, which bdist_wheel does not reach
    debug=False,
    optional=os.environ.get("GEODNS_REQUIRE_NATIVE", "0") in ("", "0"),
)

setup(
    packages=[*find_packages(include=["geodns", "geodns.*"]), "geodns.data"],
    package_dir={"geodns.data": "data"},
    rust_extensions=[NATIVE],
    cmdclass={"build": CleanBuild, "build_py": BuildPython, "build_rust": BuildNative},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
