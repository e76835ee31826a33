"""Fuzzing of the native engine by libFuzzer, on stable Rust: ``make fuzz``.

What cargo-fuzz would do: the compiler counts which branches run, and libFuzzer, which comes as
the source of a crate, mutates what reached new ones. It starts from ``fuzz/seeds/TARGET.txt``:
an input a line, in hexadecimal; ``--keep`` writes there what was learned, minimised.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from soak.world import FUZZ, write_world

TARGETS = ("parse", "answer", "subnet", "load")
INPUT_OCTETS_MAX = 600
MEMORY_MB_MAX = 1024

COUNT_BRANCHES = (
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
)
"""Source: cargo-fuzz 0.13, without comparisons, which made runs three times as slow, and without
AddressSanitizer, for what is fuzzed has no unsafe code."""


def main(arguments: list[str]) -> int:
    """Exit code 1 when a target crashed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--runs", type=int, default=-1, help="at most, for each target")
    parser.add_argument("--keep", action="store_true", help="keep what was learned")
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - {*TARGETS}:
        parser.error(f"no target {', '.join(unknown)}; there are: {', '.join(TARGETS)}")
    missing = [tool for tool in ("cargo", "c++") if shutil.which(tool) is None]
    if missing:
        sys.stderr.write(f"geodns: not fuzzed, for there is no {' and no '.join(missing)}\n")
        return 1 if os.environ.get("CI") else 0
    try:
        programs = _build()
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"geodns: the fuzz targets cannot be built: {error}\n")
        return 1
    failed = 0
    for target in options.targets or TARGETS:
        failed |= _run(programs / target, options.seconds, options.runs)
        if options.keep and not failed:
            _keep(programs / target)
    return failed


def _build() -> Path:
    """Build the targets; returns where they are."""
    write_world()
    told = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    (host,) = re.findall(r"^host: (.+)$", told, re.M)
    # With a target named, build scripts and macros are built without the flags.
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--target", host]
    flags = {"RUSTFLAGS": " ".join(COUNT_BRANCHES)}
    subprocess.run(command, cwd=FUZZ, env=os.environ | flags, check=True)
    return FUZZ / "target" / host / "release"


def _run(program: Path, seconds: int, runs: int) -> int:
    """Run one target, say what came of it; returns 1 when it crashed."""
    target = program.name
    corpus, artifacts = FUZZ / "corpus" / target, FUZZ / "artifacts" / target
    corpus.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(_seeds(target).read_text().split()):
        (corpus / f"seed-{number}").write_bytes(bytes.fromhex(line))
    command = [
        *(program, corpus, f"-artifact_prefix={artifacts}/", f"-max_total_time={seconds}"),
        *(f"-runs={runs}", f"-max_len={INPUT_OCTETS_MAX}", f"-rss_limit_mb={MEMORY_MB_MAX}"),
        "-print_final_stats=1",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
    executions = re.findall(r"^stat::number_of_executed_units: *(\d+)", done.stderr, re.M)
    slowest = re.findall(r"^slowest: (\d+) us", done.stderr, re.M)
    features = re.findall(r"\bft: (\d+)", done.stderr)
    sys.stdout.write(
        f"{target:7} {int((executions or [0])[-1]):12,} executions, "
        f"slowest {(slowest or ['?'])[-1]} us, {(features or ['?'])[-1]} features\n"
    )
    sys.stdout.flush()
    if done.returncode:
        sys.stderr.write(done.stderr[-4000:])
    return int(done.returncode != 0)


def _keep(program: Path) -> None:
    """Write the smallest set of inputs that reaches all that the corpus does."""
    corpus, least = FUZZ / "corpus" / program.name, FUZZ / "corpus" / f"{program.name}-least"
    shutil.rmtree(least, ignore_errors=True)
    least.mkdir()
    subprocess.run([program, "-merge=1", least, corpus], check=True, capture_output=True)
    inputs = sorted((file.read_bytes() for file in least.iterdir()), key=lambda i: (len(i), i))
    _seeds(program.name).write_text("".join(f"{octets.hex()}\n" for octets in inputs if octets))
    shutil.rmtree(corpus)
    least.rename(corpus)


def _seeds(target: str) -> Path:
    return FUZZ / "seeds" / f"{target}.txt"
