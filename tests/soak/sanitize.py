"""The native engine's tests under AddressSanitizer and ThreadSanitizer.

The sanitizers come with every Rust toolchain for Linux on x86-64 and 64-bit ARM, but only a
nightly one may use them, or a stable one that is told to pass for one. Miri would see more
(aliasing, uninitialised memory), but knows no sockets, epoll or recvmmsg, which is what the
unsafe code is about.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

NATIVE = Path(__file__).resolve().parents[2] / "geodns" / "native"
SUPPRESSIONS = Path(__file__).with_name("tsan.txt")

FLAGS = {
    "address": "-Zsanitizer=address",
    # The standard library as it is delivered is not built for it.
    "thread": "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer",
}


def main(arguments: list[str]) -> int:
    """Exit code 1 when a sanitizer, or a test, complains."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak sanitize", description=__doc__)
    parser.add_argument("sanitizers", nargs="*", choices=[*FLAGS, []], metavar="SANITIZER")
    options = parser.parse_args(arguments)
    if shutil.which("cargo") is None:
        sys.stderr.write("geodns: not sanitized, for there is no cargo\n")
        return 1 if os.environ.get("CI") else 0
    return max(_run(name) for name in options.sanitizers or FLAGS)


def _run(name: str) -> int:
    told = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    (host,) = re.findall(r"^host: (.+)$", told, re.M)
    settings = {
        "RUSTC_BOOTSTRAP": "1",
        "RUSTFLAGS": FLAGS[name],
        "CARGO_TARGET_DIR": str(NATIVE / "target" / name),
        # Tests leak on purpose what a thread may use to the end of the process.
        "ASAN_OPTIONS": "detect_leaks=0",
        "TSAN_OPTIONS": f"suppressions={SUPPRESSIONS}",
    }
    # With a target named, build scripts and macros are built without the flags.
    command = ["cargo", "test", "--locked", "--quiet", "--target", host]
    command += ["--package", "geodns-core", "--package", "geodns-sys", "--tests"]
    done = subprocess.run(
        command, cwd=NATIVE, env=os.environ | settings, check=False, capture_output=True, text=True
    )
    counts = [int(count) for count in re.findall(r"(\d+) passed", done.stdout)]
    verdict = "complains" if done.returncode else "is content"
    sys.stdout.write(f"{name} sanitizer {verdict}: {sum(counts)} tests passed\n")
    sys.stdout.flush()
    if done.returncode:
        sys.stderr.write((done.stdout + done.stderr)[-8000:])
    return int(done.returncode != 0)
