"""``token``: rights to use the API. A secret is told once, when it is made."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodns.cli.nouns import FieldsArgument, IdArgument, NewIdArgument
from geodns.cli.options import DataDirOption, OutputOption
from geodns.cli.output import Output, write_data, write_lines
from geodns.cli.resources import api, items, known, path_of, show_list, show_one
from geodns.errors import ConfigError

if TYPE_CHECKING:
    from geodns.net import Client

app = typer.Typer(help="Tokens: who may use the API, and for what.", rich_markup_mode=None)

EXAMPLE = "geodns token add edges role=agent nodes=edge-*"
COLUMNS = ("id", "role", "zones", "nodes", "expires_at", "last_used_at", "created")

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
    show_list(found, COLUMNS, output, f"There is no token yet. Add one: {EXAMPLE}")


@app.command("show")
def show_token(
    id_: IdArgument, output: OutputOption = Output.TABLE, data_dir: DataDirOption = None
) -> None:
    """Show one token, without its secret."""
    with api(data_dir) as client, _known(client, id_):
        found = client.request("GET", path_of("tokens", id_)).body
    show_one(found, output)


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
    with api(data_dir) as client:
        made = _secretly(client, path_of("tokens"), body, secret_file)
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
    with api(data_dir) as client, _known(client, id_):
        changed = client.request("PATCH", path_of("tokens", id_), body).body
    _told(changed, f"token {id_} set", output)


@app.command("rotate")
def rotate_token(
    id_: IdArgument,
    overlap: Annotated[
        str,
        typer.Option(
            "--overlap", metavar="TIME", help="How long the old secret lives on, like 1h."
        ),
    ] = "0s",
    secret_file: SecretFileOption = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Give a token a new secret in place of the old one."""
    from geodns.cli.drains import seconds

    body = {"overlap_s": seconds(overlap)}
    with api(data_dir) as client, _known(client, id_):
        made = _secretly(client, path_of("tokens", id_, "rotate"), body, secret_file)
    _told(made, f"token {id_} rotated", output)


@app.command("remove")
def remove_token(id_: IdArgument, data_dir: DataDirOption = None) -> None:
    """End a token; who uses it is refused from now on."""
    with api(data_dir) as client, _known(client, id_):
        client.request("DELETE", path_of("tokens", id_))
    write_lines([f"token {id_} removed"])


def _body(fields: list[str] | None) -> dict[str, Any]:
    from geodns.cli.fields import parse_fields

    return {name: each for name, each in parse_fields(fields or ()).items() if each is not None}


def _known(client: Client, id_: str) -> AbstractContextManager[None]:
    return known(client, "token", path_of("tokens"), id_, EXAMPLE)


def _secretly(
    client: Client, path: str, body: dict[str, Any], secret_file: Path | None
) -> dict[str, Any]:
    """Ask for a secret; with a file it goes there, made before there is one to be lost."""
    if secret_file is None:
        found: dict[str, Any] = client.request("POST", path, body).body
        return found
    draft = secret_file.with_name(f".{secret_file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            made: dict[str, Any] = client.request("POST", path, body).body
            file.write(made.pop("secret") + "\n")
        draft.rename(secret_file)
    except OSError as error:
        raise ConfigError(f"{secret_file} cannot be written: {error.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
    return made


def _told(token: dict[str, Any], done: str, output: Output) -> None:
    if output is not Output.TABLE:
        write_data(token, output)
        return
    secret = token.get("secret")
    write_lines([done] if secret is None else [f"{done}; its secret, shown only now:", secret])
