"""How all processes of a server log: one line for each event, for people or as JSON.

Nothing that came from outside can begin a line of its own, or steer a terminal: what is no
printable character is escaped.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, datetime

FORMATS = ("text", "json")

MESSAGE_MAX_CHARS = 8192
"""Source: no reference; what many collectors of logs take as one line is 16 kB."""

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request that something is done for, empty if it is none."""


form_here = FORMATS[0]
"""How this process logs, for those that it starts."""


class Text(logging.Formatter):
    """For people: time, level, logger and message."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        message, exception = _told(self, record)
        text = f"{message}: {exception}" if exception else message
        of = request_id.get()
        asked = f" [{of}]" if of and of not in text else ""
        return f"{_instant(record)} {record.levelname} {record.name}: {escaped(text)}{asked}"


class Json(logging.Formatter):
    """For programs: an object a line. Shape: ``request_id`` and ``exception`` as there are."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        message, exception = _told(self, record)
        line = {
            "time": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": self._process,
            "pid": os.getpid(),
            "message": message,
        }
        fields = getattr(record, "fields", None)
        line |= fields if isinstance(fields, dict) else {}
        line |= {"request_id": of} if (of := request_id.get()) else {}
        line |= {"exception": exception} if exception else {}
        return json.dumps(line, default=str)  # ASCII: control characters are escapes in it


def set_up(
    process: str, level: str, form: str = FORMATS[0], filters: Sequence[logging.Filter] = ()
) -> None:
    """Let this process log to stderr, and nobody else in it.

    Shape: ``process`` is its name, like ``worker-0``; ``form`` one of FORMATS.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json(process) if form == "json" else Text())
    for each in filters:
        handler.addFilter(each)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    global form_here
    form_here = form
    logging.raiseExceptions = False  # a stderr that is gone is no reason for a trace
    logging.captureWarnings(True)


def rename(process: str) -> None:
    """This process was forked and is another now."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, Json):
            handler.setFormatter(Json(process))


def escaped(text: str) -> str:
    """Printable characters alone; all others as Python writes them."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _told(formatter: logging.Formatter, record: logging.LogRecord) -> tuple[str, str]:
    try:
        message = record.getMessage()
    except (TypeError, ValueError):  # a fault of ours must not keep the event from being told
        message = str(record.msg)
    # Half of a pair, as an octet that is no UTF-8 becomes, is in no valid text.
    message = message.encode("utf-8", "backslashreplace").decode()
    if len(message) > MESSAGE_MAX_CHARS:
        message = f"{message[:MESSAGE_MAX_CHARS]}… ({len(message)} characters)"
    exception = formatter.formatException(record.exc_info) if record.exc_info else ""
    return message, exception.encode("utf-8", "backslashreplace").decode()


def _instant(record: logging.LogRecord) -> str:
    """RFC 3339, UTC, milliseconds."""
    when = datetime.fromtimestamp(record.created, UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
