"""Log lines: one for each event, whatever stands in it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest

from geodns.settings import logs
from geodns.settings.logs import FORMATS, MESSAGE_MAX_CHARS, request_id, set_up

HOSTILE = [
    "a\nb",
    "\r\n2026-01-01T00:00:00Z CRITICAL root: forged",
    "\x1b[2J\x1b]0;title\x07",
    "\u2028\u2029\u0085\u202e",
    "\udc80 half a pair",
    "\0\x7f\x9b",
    '"}{"level":"x"',
    "x" * 100_000,
]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)
    logging.raiseExceptions = True


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("text", HOSTILE)
def test_an_event_is_one_line_of_printable_characters(
    written: Callable[[], str], form: str, text: str
) -> None:
    set_up("worker-0", "info", form)
    log = logging.getLogger("geodns.test")
    log.info("%s", text)
    log.info(text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("it failed")
    lines = written().split("\n")
    assert len(lines) == 4
    assert lines[-1] == ""
    assert all(line.isprintable() for line in lines)
    assert len(lines[0]) < 3 * MESSAGE_MAX_CHARS
    assert "ValueError" in lines[2]


def test_a_line_of_json_says_when_what_where_and_for_whom(written: Callable[[], str]) -> None:
    set_up("control", "info", "json")
    request_id.set("01JD8")
    try:
        logging.getLogger("geodns.api").warning("odd: %d", 7, extra={"fields": {"status": 409}})
    finally:
        request_id.set("")
    line = json.loads(written())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line.pop("pid") > 0
    assert line == {
        "level": "warning",
        "logger": "geodns.api",
        "process": "control",
        "message": "odd: 7",
        "status": 409,
        "request_id": "01JD8",
    }


def test_a_line_of_text_names_the_request(written: Callable[[], str]) -> None:
    set_up("control", "info")
    request_id.set("01JD8")
    try:
        logging.getLogger("geodns.api").info("odd")
    finally:
        request_id.set("")
    assert written().endswith(" INFO geodns.api: odd [01JD8]\n")


def test_arguments_that_do_not_fit_are_no_reason_to_say_nothing(written: Callable[[], str]) -> None:
    set_up("control", "info", "json")
    logging.getLogger("geodns.api").info("%d of %d", "x")
    assert json.loads(written())["message"] == "%d of %d"


def test_a_fork_goes_by_its_own_name(written: Callable[[], str]) -> None:
    set_up("supervisor", "info", "json")
    logs.rename("worker-3")
    logging.getLogger("geodns").info("here")
    assert json.loads(written())["process"] == "worker-3"
