"""The command line as a whole."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from geodns import __version__
from geodns.cli import INTERRUPTED, complain, documents, geo, questions, records
from geodns.cli.nouns import NOUNS
from geodns.cli.options import OutputOption
from geodns.cli.output import Output, write_data, write_fields
from geodns.cli.serve import serve_command
from geodns.errors import ConfigError

PortOption = Annotated[int, typer.Option(metavar="PORT", min=0, max=65535)]


def run(words: Sequence[str]) -> int:
    """Run the command that the words say; its exit code."""
    app = build()
    groups = {group.name for group in app.registered_groups}
    if not words or (len(words) == 1 and words[0] in groups):
        words = [*words, "--help"]
    try:
        result = app(list(words), prog_name="geodns", standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except Exception as error:
        # The framework's own refusals; where their class is defined depends on its version.
        tell = getattr(error, "format_message", None)
        if tell is None:
            raise
        complain(*_usage(error, tell()))
        return ConfigError.exit_code
    return result if isinstance(result, int) else 0


def build() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        help="Authoritative DNS server that sends every user to the nearest healthy edge node.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.command()(demo)
    app.command("serve", help="Serve DNS and the admin API until told to end.")(serve_command())
    for command in (questions.status, questions.explain, questions.query, records.steer):
        app.command()(command)
    for noun in NOUNS:
        app.add_typer(noun.app(), name=noun.word)
    app.add_typer(records.app, name="rrset")
    for document in (documents.plan, documents.apply, documents.export, documents.check):
        app.command()(document)
    app.add_typer(geo.app, name="geo")
    app.command()(version)
    return app


def demo(
    dns_port: PortOption = 5300,
    api_port: PortOption = 8053,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the data here. Default: a temporary directory.",
                     show_default=False),
    ] = None,
) -> int:  # fmt: skip
    """Show it all on this machine: a zone, eight cities, users to play."""
    from geodns.daemon.demo import run as run_demo

    return run_demo(dns_port=dns_port, api_port=api_port, keep=keep)


def version(output: OutputOption = Output.TABLE) -> None:
    """Tell the version and which engines are here."""
    view = {
        "geodns": __version__,
        "native": _native_version() or "not built",
        "python": platform.python_version(),
    }
    if output is Output.TABLE:
        write_fields(view)
    else:
        write_data(view, output)


def _native_version() -> str | None:
    try:
        from geodns import _native
    except ImportError:
        return None
    return _native.__version__


def _usage(error: Exception, message: str) -> list[str]:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "geodns"
    return [message, f"{path} --help tells more."]
