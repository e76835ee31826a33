"""``python -m tests.soak RUN [ARGUMENTS]``: one long run, or ``all`` of them.

``questions`` compares the engines on ten million packets (``--questions N --seed N``);
``model`` holds the reference engine against an interpreter of the model on a million questions
(the same options); ``fuzz`` looks for packets and sections that crash the native engine or take
it longer than 10 ms (``--seconds N``, ``--keep`` to keep what it learned, or a target's name);
``sanitize`` runs the tests of its unsafe code under AddressSanitizer and ThreadSanitizer;
``fixture`` writes anew what they ask; ``health`` holds the rules of verdicts and votes
against the oracle (``OBSERVATIONS``); ``store`` kills everything in a storm of writes
(``--rounds N``);
``generations`` puts damaged generations before a running server (``--rounds N``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # as tests/conftest.py does

QUESTIONS = ["--questions", "10000000"]
FUZZ = ["--seconds", "600"]
LONG = ("questions", "model", "fuzz", "sanitize", "health", "store", "generations")


def main(arguments: list[str]) -> int:
    """Exit code 1 when a run finds something, 2 when there is no such run."""
    name, *rest = arguments or ["all"]
    if name == "all":
        return max(run(defaults) for run, defaults in map(RUNS.__getitem__, LONG))
    if name not in RUNS:
        sys.stderr.write(f"{__doc__}\nNo run {name!r}; there are: {', '.join(RUNS)}, all.\n")
        return 2
    run, defaults = RUNS[name]
    return run([*defaults, *rest])


def _questions(arguments: list[str]) -> int:
    from differential.native.__main__ import main

    return main(arguments)


def _model(arguments: list[str]) -> int:
    from differential.oracle.__main__ import main

    return main(arguments)


def _fuzz(arguments: list[str]) -> int:
    from soak.fuzz import main

    return main(arguments)


def _sanitize(arguments: list[str]) -> int:
    from soak.sanitize import main

    return main(arguments)


def _health(arguments: list[str]) -> int:
    from soak.health import main

    return main(arguments)


def _store(arguments: list[str]) -> int:
    from soak.storm import main

    return main(arguments)


def _generations(arguments: list[str]) -> int:
    from soak.generations import main

    return main(arguments)


def _api(arguments: list[str]) -> int:
    from soak.api import main

    return main(arguments)


def _fixture(_: list[str]) -> int:
    from soak.world import FIXTURE, fixture

    FIXTURE.write_text(fixture())
    return 0


RUNS: dict[str, tuple[Callable[[list[str]], int], list[str]]] = {
    "questions": (_questions, QUESTIONS),
    "model": (_model, ["--questions", "1000000"]),
    "fuzz": (_fuzz, FUZZ),
    "sanitize": (_sanitize, []),
    "health": (_health, []),
    "store": (_store, []),
    "api": (_api, []),
    "generations": (_generations, []),
    "fixture": (_fixture, []),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
