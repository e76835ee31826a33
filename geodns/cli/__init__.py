"""The commands. Nothing heavy is imported before it is known which command it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from geodns.errors import GeodnsError, Reason

ASKED = "_GEODNS_COMPLETE"
"""The variable by which a shell asks what could come next. Source: typer."""

INTERRUPTED = 130
"""Source: POSIX shells report 128 + the signal's number; SIGINT is 2."""

BROKEN_PIPE = 141
"""Source: POSIX shells report 128 + the signal's number; SIGPIPE is 13."""

ABOUT_VALUES = frozenset({"out_of_range", "not_a_choice", "wrong_type", "bad_form", "bad_value"})
"""Codes of reasons whose detail is a bound that the value missed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 2 input, 3 conflict or brake, 4 unavailable."""
    words = list(sys.argv[1:] if argv is None else argv)
    if sys.stdout is None:  # closed by the caller, who wants to hear nothing
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    try:
        return _run(words)
    except GeodnsError as error:
        complain(*map(_told, error.reasons))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError as error:  # a full disk behind a pipe, no more files
        where = f"{error.filename}: " if error.filename else ""
        complain(f"{where}{error.strerror or error}.")
        return GeodnsError.exit_code
    except Exception as error:
        complain(_bug(error))
        return GeodnsError.exit_code


def complain(*lines: str) -> None:
    """Say what is wrong, on stderr, in words that cannot steer the terminal."""
    for line in lines:
        shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
        with suppress(OSError, ValueError, AttributeError):  # nobody reads, or it is closed
            sys.stderr.write(f"geodns: {shown}\n")  # escapes what its encoding lacks
            sys.stderr.flush()


def _run(words: list[str]) -> int:
    if words[:1] == ["serve"]:
        from geodns.cli.serve import flags_of, serve

        # A server starts without the framework for commands, which takes as long as the store.
        flags = flags_of(words[1:])
        if flags is not None:
            return serve(flags)
    from geodns.cli.app import run

    return run(words)


def _told(reason: Reason) -> str:
    """The reason, with what was found if it does not say so itself."""
    value = str(reason.value)
    about_value = reason.code in ABOUT_VALUES and isinstance(reason.value, str | int | float)
    if not about_value or len(value) > 80 or value in reason.detail:
        return str(reason)
    return str(replace(reason, detail=f"{reason.detail.rstrip('.')}, not {value}."))


def _bug(error: Exception) -> str:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" in {last.tb_frame.f_globals.get('__name__')} line {last.tb_lineno}" if last else ""
    return f"This is a bug, please report it: {type(error).__name__}: {error}{where}"
