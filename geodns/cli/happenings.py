"""``events``: what happens, as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodns.cli import complain
from geodns.cli.options import DataDirOption, OutputOption
from geodns.cli.output import Output, cell, to_yaml, write, write_lines
from geodns.cli.resources import api, path_of
from geodns.errors import Unavailable

if TYPE_CHECKING:
    from geodns.net import Client

Event = tuple[str, str, dict[str, Any]]
"""Id, kind and data."""

BEGINNING = "0-0"
"""The id before all events that the server still has."""

SILENCE_S = 45.0
"""Without a sign of life for so long the stream is broken. Source: three times the server's own."""

QUIET_S = 0.7
"""What has happened already comes at once; after so long there is no more of it. Source: no
reference; some round trips across the earth."""

AGAIN_S = 2.0
"""Source: no reference; a server restarts in about that time."""


def events(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what will happen, to Ctrl-C.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="ID", help="Begin after this event. Default: with all that "
                     "the server has, or with --follow with the next.", show_default=False),
    ] = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:  # fmt: skip
    """Tell changes of health, alarms and generations; as json, one event a line."""
    with api(data_dir) as client:
        found = _following(client, since) if follow else _past(client, since or BEGINNING)
        for event_id, kind, data in found:
            write_lines([_line(kind, data)]) if output is Output.TABLE else write(
                _as_data({"id": event_id, "event": kind, **data}, output)
            )


def _past(client: Client, since: str) -> Iterator[Event]:
    """What has happened already."""
    connected = False
    try:
        for event in _stream(client, since, QUIET_S):
            connected = True
            if event[1]:
                yield event
    except Unavailable:
        if not connected:
            raise


def _following(client: Client, since: str | None) -> Iterator[Event]:
    """What happens; where the stream breaks it is taken up again where it broke."""
    last = since
    connected = False
    while True:
        try:
            for event in _stream(client, last, SILENCE_S):
                connected = True
                if event[1]:
                    last = event[0]
                    yield event
        except Unavailable as error:
            if not connected:
                raise
            complain(f"{error}; trying again")
        time.sleep(AGAIN_S)


def _stream(client: Client, last: str | None, quiet_s: float) -> Iterator[Event]:
    """Events of one connection; one of no kind for each sign of life.

    Source: WHATWG HTML, "Server-sent events", as our server sends them: each field in one line.
    """
    fields: dict[str, str] = {}
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
    for line in client.lines(path_of("events"), headers, quiet_s=quiet_s):
        name, _, value = line.partition(":")
        if line and not name:  # a comment
            yield "", "", {}
        elif line:
            fields[name] = value.removeprefix(" ")
        elif fields.get("data"):
            yield fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"])
            fields = {}


def _line(kind: str, data: dict[str, Any]) -> str:
    """An event as a sentence."""
    at = data.get("at", "")
    if kind == "transition":
        what = f"{data['address']} {data['monitor'] or ''}".rstrip()
        why = f": {data['reason']}" if data.get("reason") else ""
        return f"{at}  {what}  {data['before']} -> {data['after']}{why}"
    rest = " ".join(f"{name}={cell(each)}" for name, each in data.items() if name != "at" and each)
    return f"{at}  {kind}  {rest}".rstrip()


def _as_data(event: dict[str, Any], output: Output) -> str:
    if output is Output.JSON:
        return json.dumps(event, separators=(",", ":")) + "\n"
    return "---\n" + to_yaml(event)
