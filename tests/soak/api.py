"""The API under ten thousand requests of schemathesis: no 5xx, no breach of contract.

Stateful: what one request made is what the next ones read, change and remove.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from support.contract import hold_to_contract
from support.server import Server, running_server


def main(arguments: list[str]) -> int:
    """Exit code 1 if anything is found; what it was is on standard output."""
    parser = argparse.ArgumentParser(prog="tests.soak api")
    parser.add_argument("--examples", type=int, default=10_000, help="requests in scenarios")
    parser.add_argument("--alone", type=int, default=50, help="requests to each operation alone")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with running_server(directory, workers=1) as server:
            found = False
            if wanted.alone:
                found |= run(server, "coverage,fuzzing", wanted.alone, wanted.seed)[0]
            seed, sent = wanted.seed, 0
            # What was made by one scenario is there for the next; so a run ends when what it
            # draws again is answered otherwise, and another goes on.
            while sent < wanted.examples:
                breach, more = run(server, "stateful", SCENARIOS, seed)
                found, seed, sent = found or breach, seed + 1, sent + max(more, 1)
            sys.stdout.write(f"{sent} requests in scenarios\n")
            log = server.log.read_text()
            if "Traceback" in log or not server.ready():
                sys.stdout.write(log[-20_000:])
                found = True
    return int(found)


SCENARIOS = 200
"""At most so many in one run."""


def run(server: Server, phases: str, examples: int, seed: int) -> tuple[bool, int]:
    """One run: whether anything was found, and how many requests were drawn."""
    done = hold_to_contract(
        f"http://127.0.0.1:{server.api_port}", server.token, server.log.parent,
        "--phases", phases, "--seed", str(seed), "--max-examples", str(examples),
    )  # fmt: skip
    drawn = re.search(r"(\d+) generated", done.stdout)
    if done.returncode or drawn is None:
        sys.stdout.write(done.stdout + done.stderr)
    return done.returncode != 0, int(drawn[1]) if drawn else 0
