"""``python -m tests.protocol.malformed [--show SERVER]``: the battery to every server here."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS))  # the helpers of tests/support are imported as ``support``

from .battery import CASES  # noqa: E402
from .case import Grade  # noqa: E402
from .peers import MAKERS, program_of, running_geodns, running_peer  # noqa: E402
from .report import Verdict, report, worse_than  # noqa: E402
from .run import play  # noqa: E402

OURS = "geodns"


def main() -> int:
    """Exit code 1 when another server does better than we, in any case or altogether."""
    parser = argparse.ArgumentParser(prog="python -m tests.protocol.malformed", description=__doc__)
    parser.add_argument("--show", help="list what this server does not exactly right")
    options = parser.parse_args()
    found: dict[str, list[Verdict]] = {}
    with tempfile.TemporaryDirectory() as directory:
        with running_geodns(Path(directory)) as port:
            found[OURS] = play(port, CASES)
        for maker in MAKERS:
            if program_of(maker) is None:
                sys.stderr.write(f"{maker} is not installed; make test-tools installs it\n")
                continue
            with running_peer(maker, Path(directory) / maker) as port:
                found[maker] = play(port, CASES)
    sys.stdout.write(report(found))
    for verdict in found.get(options.show, []):
        if verdict.grade is not Grade.EXACT:
            sys.stdout.write(f"{options.show}: {verdict}\n")
    worse = [(peer, v) for peer in found for v in worse_than(found[OURS], found[peer])]
    for peer, verdict in worse:
        sys.stdout.write(f"{peer} does better: {verdict}\n")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
