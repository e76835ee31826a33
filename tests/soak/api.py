"""The API under ten thousand scenarios of schemathesis: no 5xx, no breach of contract.

Stateful: what one request made is what the next ones read, change and remove.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from support.contract import hold_to_contract
from support.server import running_server


def main(arguments: list[str]) -> int:
    """Exit code 1 if anything is found; what it was is on standard output."""
    parser = argparse.ArgumentParser(prog="tests.soak api")
    parser.add_argument("--examples", type=int, default=10_000, help="scenarios of many requests")
    parser.add_argument("--alone", type=int, default=50, help="requests to each operation alone")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(arguments)
    runs = {"coverage,fuzzing": wanted.alone, "stateful": wanted.examples}
    return max(run(phases, number, wanted.seed) for phases, number in runs.items() if number)


def run(phases: str, examples: int, seed: int) -> int:
    """One run against a server of its own."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with running_server(directory, workers=1) as server:
            done = hold_to_contract(
                f"http://127.0.0.1:{server.api_port}", server.token, directory,
                "--phases", phases, "--seed", str(seed), "--max-examples", str(examples),
            )  # fmt: skip
            sys.stdout.write(done.stdout + done.stderr)
            log = server.log.read_text()
            if "Traceback" in log or not server.ready():
                sys.stdout.write(log[-20_000:])
                return 1
    return done.returncode
