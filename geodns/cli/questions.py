"""``explain``, ``query`` and ``status``: what is answered, why, and how the server is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geodns.cli import completion
from geodns.cli.options import DataDirOption, OutputOption
from geodns.cli.output import Output, write_data, write_lines, write_object
from geodns.cli.resources import api, path_of
from geodns.errors import ConfigError

if TYPE_CHECKING:
    from geodns.dns.client import Reply
    from geodns.net import Client

NameArgument = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completion.names)]
TypeArgument = Annotated[str, typer.Argument(metavar="TYPE", autocompletion=completion.rtypes)]
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
    write_lines(_like_dig(reply, source, f"{where[0]} port {where[1]}"))


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Again every second, to Ctrl-C.")] = False,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Show how the server is, and what to type next while something is missing."""
    with api(data_dir) as client:
        if watch:
            from geodns.cli.watching import watch as go_on

            go_on(client, output)
        seen = client.request("GET", path_of("status")).body
        if output is not Output.TABLE:
            write_data(seen, output)
            return
        write_object(seen)
        write_lines(_next_step(client))


def _like_dig(reply: Reply, source: str | None, where: str) -> list[str]:
    """The reply in the layout that everyone knows from dig."""
    lines = [f";; status: {reply.rcode}, flags: {' '.join(reply.flags)}"]
    if reply.scope is not None:
        lines.append(f";; client subnet: {source}, scope /{reply.scope}")
    lines += [f";; EDE: {error}" for error in reply.ede]
    sections = {
        "ANSWER": reply.answers,
        "AUTHORITY": reply.authority,
        "ADDITIONAL": reply.additional,
    }
    for title, records in sections.items():
        if records:
            lines += ["", f";; {title} SECTION:", *records]
    return [*lines, "", f";; from {where} in {reply.elapsed_ms:.1f} ms"]


def _next_step(client: Client) -> list[str]:
    """What to type next while something is missing: a steered answer, then its health."""
    from geodns.cli.nouns import NOUNS

    for noun in NOUNS:
        if noun.word in ("zone", "node", "pool") and not _any(client, f"{noun.word}s"):
            return ["", f"There is no {noun.word} yet. Next: {noun.how}"]
    zones = client.request("GET", path_of("zones"), params={"limit": "2"}).body["items"]
    if len(zones) == 1 and not _any(client, "zones", zones[0]["id"], "steers"):
        return ["", f"No name is steered yet. Next: geodns steer www.{zones[0]['id']} POOL"]
    if not _any(client, "monitors"):
        hint = "every node counts as up. Next: geodns monitor add web type=tcp port=443"
        return ["", f"There is no monitor yet: {hint}", "then: geodns pool set POOL monitor=web"]
    return []


def _any(client: Client, *collection: str) -> bool:
    page = client.request("GET", path_of(*collection), params={"limit": "1"}).body
    return bool(page["items"])


def _server(text: str) -> tuple[str, int]:
    """A server by address, with or without a port. Errors: ConfigError."""
    from geodns.settings.values import endpoint

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
