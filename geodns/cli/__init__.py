"""The commands. Nothing heavy is imported before it is known which command it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from geodns.errors import GeodnsError

INTERRUPTED = 130
"""Source: POSIX shells report 128 + the signal's number; SIGINT is 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 2 input, 3 conflict or brake, 4 unavailable."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except GeodnsError as error:
        complain(*map(str, error.reasons))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        complain(_bug(error))
        return GeodnsError.exit_code


def complain(*lines: str) -> None:
    """Say what is wrong, on stderr, in words that cannot steer the terminal."""
    for line in lines:
        shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
        sys.stderr.write(f"geodns: {shown}\n")


def _run(words: list[str]) -> int:
    if words[:1] == ["serve"]:
        from geodns.cli.serve import flags_of, serve

        # A server starts without the framework for commands, which takes as long as the store.
        flags = flags_of(words[1:])
        if flags is not None:
            return serve(flags)
    from geodns.cli.app import run

    return run(words)


def _bug(error: Exception) -> str:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" in {last.tb_frame.f_globals.get('__name__')} line {last.tb_lineno}" if last else ""
    return f"This is a bug, please report it: {type(error).__name__}: {error}{where}"
