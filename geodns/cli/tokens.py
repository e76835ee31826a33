"""``token``: rights to use the API. A secret is told once, when it is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from geodns.cli.nouns import FieldsArgument, IdArgument, NewIdArgument
from geodns.cli.options import DataDirOption, OutputOption
from geodns.cli.output import Output, write_data, write_lines
from geodns.cli.resources import api, items, known, path_of, show_list, show_one
from geodns.errors import ConfigError, NotFound, Reason

app = typer.Typer(help="Tokens: who may use the API, and for what.", rich_markup_mode=None)

EXAMPLE = "geodns token add edges role=agent nodes=edge-*"
COLUMNS = ("id", "role", "zones", "nodes", "expires_at", "last_used", "created")

SecretFileOption = Annotated[
    Path | None,
    typer.Option("--secret-file", metavar="FILE", show_default=False,
                 help="Write the secret here, for its owner only, instead of showing it."),
]  # fmt: skip


@app.command("list")
def list_tokens(output: OutputOption = Output.TABLE, data_dir: DataDirOption = None) -> None:
    """List all tokens, without their secrets."""
    with api(data_dir) as client:
        found = list(items(client, path_of("tokens")))
    columns = [each for each in COLUMNS if any(each in token for token in found)]
    show_list(found, columns, output, f"There is no token yet. Add one: {EXAMPLE}")


@app.command("show")
def show_token(
    id_: IdArgument, output: OutputOption = Output.TABLE, data_dir: DataDirOption = None
) -> None:
    """Show one token, without its secret."""
    with api(data_dir) as client, known(client, "token", path_of("tokens"), id_, EXAMPLE):
        found = [token for token in items(client, path_of("tokens")) if token["id"] == id_]
        if not found:
            raise NotFound([Reason("", "not_found", f"There is no token {id_}.", id_)])
    show_one(found[0], output)


@app.command("add", epilog=f"Example: {EXAMPLE}")
def add_token(
    id_: NewIdArgument,
    fields: FieldsArgument = None,
    secret_file: SecretFileOption = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Make a token: role=operator, agent or reader; zones, nodes, expires_at."""
    body = {"id": id_, **_body(fields)}
    with api(data_dir) as client, _kept(secret_file) as keep:
        made = client.request("POST", path_of("tokens"), body).body
        if keep is not None:
            keep.write(made.pop("secret") + "\n")
    _told(made, f"token {id_} added", output)


@app.command("set")
def set_token(
    id_: IdArgument,
    fields: FieldsArgument = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Change what a token may do, and until when; its secret stays."""
    if not fields:
        raise ConfigError("Nothing to set: give at least one FIELD=VALUE.")
    body = _body(fields)
    with api(data_dir) as client, known(client, "token", path_of("tokens"), id_, EXAMPLE):
        changed = client.request("PATCH", path_of("tokens", id_), body).body
    _told(changed, f"token {id_} set", output)


@app.command("remove")
def remove_token(id_: IdArgument, data_dir: DataDirOption = None) -> None:
    """End a token; who uses it is refused from now on."""
    with api(data_dir) as client, known(client, "token", path_of("tokens"), id_, EXAMPLE):
        client.request("DELETE", path_of("tokens", id_))
    write_lines([f"token {id_} removed"])


def _body(fields: list[str] | None) -> dict[str, Any]:
    from geodns.cli.fields import parse_fields

    return {name: each for name, each in parse_fields(fields or ()).items() if each is not None}


@contextmanager
def _kept(path: Path | None) -> Iterator[TextIO | None]:
    """The file for the secret, made before there is one: else it could be lost."""
    if path is None:
        yield None
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        yield file


def _told(token: dict[str, Any], done: str, output: Output) -> None:
    if output is not Output.TABLE:
        write_data(token, output)
        return
    secret = token.get("secret")
    write_lines([done] if secret is None else [f"{done}; its secret, shown only now:", secret])
