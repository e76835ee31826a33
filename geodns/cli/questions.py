"""``explain``, ``query`` and ``status``: what is answered, why, and how the server is."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodns.cli.options import DataDirOption, OutputOption
from geodns.cli.output import (
    Output,
    cell,
    write,
    write_data,
    write_fields,
    write_lines,
    write_table,
)
from geodns.cli.resources import api, items, path_of
from geodns.errors import ConfigError

if TYPE_CHECKING:
    from geodns.net import Client

WATCH_INTERVAL_S = 1.0
"""Source: no reference; monitors run every few seconds, one a second at the most."""

CLEAR_SCREEN = "\x1b[H\x1b[2J"
"""Source: ECMA-48: cursor to the first position, erase the page."""

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]
TypeArgument = Annotated[str, typer.Argument(metavar="TYPE")]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="PREFIX", help="The user's address or subnet (ECS).",
                 show_default=False),
]  # fmt: skip


def explain(
    name: NameArgument,
    rtype: TypeArgument = "A",
    source: FromOption = None,
    resolver: Annotated[
        str | None,
        typer.Option("--resolver", metavar="ADDR", help="Who asks.", show_default=False),
    ] = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Tell what would be answered, and why."""
    asked = {"name": name, "type": rtype, "from": source, "resolver": resolver}
    params = {field: text for field, text in asked.items() if text is not None}
    with api(data_dir) as client:
        explained = client.request("GET", path_of("explain"), params=params).body
    if output is Output.TABLE:
        write_lines(explained["lines"])
    else:
        write_data(explained, output)


def query(
    name: NameArgument,
    rtype: TypeArgument = "A",
    source: FromOption = None,
    server: Annotated[
        str | None,
        typer.Option("--server", metavar="ADDR:PORT", help="Whom to ask. Default: the server.",
                     show_default=False),
    ] = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:  # fmt: skip
    """Ask by DNS, as a user's resolver would."""
    from dataclasses import asdict

    where = _server(server) if server else _own_server(data_dir)
    from geodns.dns.client import ask

    reply = ask(name, rtype.upper(), where, source)
    if output is not Output.TABLE:
        write_data({**asdict(reply), "server": f"{where[0]} port {where[1]}"}, output)
        return
    scope = "" if reply.scope is None else f", scope /{reply.scope}"
    footer = f";; from {where[0]} port {where[1]} in {reply.elapsed_ms:.1f} ms{scope}"
    write_lines([*reply.text.splitlines(), footer])


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Again every second, to Ctrl-C.")] = False,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Show how the server is."""
    with api(data_dir) as client:
        while True:
            seen = client.request("GET", path_of("status")).body
            if watch and output is Output.TABLE:
                write(CLEAR_SCREEN)
            if output is Output.TABLE:
                _show_status(seen)
                write_lines(_next_step(client))
            else:
                write_data(seen, output)
            if not watch:
                return
            time.sleep(WATCH_INTERVAL_S)


def _show_status(seen: Mapping[str, Any]) -> None:
    """What is one value first, then each list as a table."""
    tables = {name: each for name, each in seen.items() if _is_table(each)}
    write_fields({name: each for name, each in seen.items() if name not in tables})
    for name, rows in tables.items():
        heads = list(dict.fromkeys(head for row in rows for head in row))
        write_lines(["", f"{name}:"])
        write_table(
            [head.upper().replace("_", " ") for head in heads],
            [[cell(row.get(head)) for head in heads] for row in rows],
        )


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _next_step(client: Client) -> list[str]:
    """What to type next while something is still missing for a first answer."""
    from geodns.cli.nouns import NOUNS

    for noun in NOUNS:
        if noun.word == "monitor":
            continue
        first = next(items(client, path_of(f"{noun.word}s")), None)
        if first is None:
            return ["", f"There is no {noun.word} yet. Next: {noun.how}"]
    return []


def _server(text: str) -> tuple[str, int]:
    """A server by address, with or without a port. Errors: ConfigError."""
    from geodns.settings import endpoint

    bare = text.replace(".", "").isdigit() or (text.count(":") > 1 and not text.startswith("["))
    try:
        found = endpoint(f"[{text}]:53" if bare and ":" in text else f"{text}:53" if bare else text)
    except ValueError:
        detail = f'"{text}" is no server; write it like 192.0.2.53:53 or [2001:db8::53]:53.'
        raise ConfigError(detail) from None
    return found.host, found.port


def _own_server(data_dir: Path | None) -> tuple[str, int]:
    """The server of the data directory, by a loopback address if it listens on all."""
    from geodns.cli.connection import announcement, directory_of

    listening = announcement(directory_of(data_dir, os.environ)).dns
    if not listening:
        raise ConfigError("The server does not say where it serves DNS; give --server.")
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    return loopback.get(listening[0].host, listening[0].host), listening[0].port
