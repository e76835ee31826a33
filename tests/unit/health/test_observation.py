"""The words an operator reads."""

from __future__ import annotations

import errno

from geodns.health.observation import REASON_MAX_CHARS, clean, failure, words_of


def test_a_wrapped_error_is_told_by_its_root() -> None:
    outer = RuntimeError("All connection attempts failed")
    outer.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "x")
    assert words_of(outer) == "connection refused"


def test_a_group_of_errors_is_told_by_its_first() -> None:
    group = ExceptionGroup("many", [OSError(errno.EHOSTUNREACH, "x"), OSError(errno.EPERM, "y")])
    assert words_of(group) == "no route to host"


def test_an_error_that_is_its_own_cause_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert words_of(first) == "first"


def test_what_a_node_sent_cannot_forge_a_log_line() -> None:
    assert clean("a\nweb 192.0.2.1: up\x1b[2J") == "a?web 192.0.2.1: up?[2J"
    assert len(failure("x" * 10_000).reason) == REASON_MAX_CHARS
