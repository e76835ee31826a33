"""The command line as a whole."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from geodns import __version__
from geodns.cli import ASKED, INTERRUPTED, complain
from geodns.cli.options import OutputOption
from geodns.cli.output import Output, write_data, write_fields
from geodns.errors import ConfigError

PortOption = Annotated[int, typer.Option(metavar="PORT", min=0, max=65535)]


def run(words: Sequence[str]) -> int:
    """Run the command that the words say; its exit code."""
    if not words or (len(words) == 1 and words[0] in GROUPS):
        words = [*words, "--help"]
    if list(words) == ["--version"]:
        words = ["version"]
    wanted = words[0]
    if ASKED in os.environ:
        from geodns.cli.completion import asked

        wanted = asked(os.environ) or ""
    app = build(wanted if wanted in (*COMMANDS, *GROUPS) else None)
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


def build(only: str | None = None) -> typer.Typer:
    """All commands, or just one, which takes a quarter of the time."""
    app = typer.Typer(
        help="Authoritative DNS server that sends every user to the nearest healthy edge node.",
        epilog=FIRST_STEPS,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={
            "max_content_width": HELP_WIDTH,
            "help_option_names": ["--help", "-h"],
        },
    )
    app.callback()(lambda: None)  # else an app of one command would be that command
    for name in COMMANDS:
        if only in (None, name):
            app.command(name)(_command(name))
    for name in GROUPS:
        if only in (None, name):
            app.add_typer(_group(name), name=name)
    return app


def _command(name: str) -> Callable[..., object]:
    module, _, function = COMMANDS[name].partition(":")
    found: Callable[..., object] = getattr(import_module(f"geodns.cli.{module}"), function)
    return found() if function == "serve_command" else found  # type: ignore[return-value]


def _group(name: str) -> typer.Typer:
    found = import_module(f"geodns.cli.{GROUPS[name]}").app
    group: typer.Typer = found if isinstance(found, typer.Typer) else found(name)
    return group


def demo(
    dns_port: PortOption = 5300,
    api_port: PortOption = 8053,
    node_port: PortOption = 8080,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the data here. Default: a temporary directory.",
                     show_default=False),
    ] = None,
) -> int:  # fmt: skip
    """Show it all on this machine: a zone, eight cities, users to play."""
    from geodns.daemon.demo import run as run_demo

    return run_demo(dns_port, api_port, node_port, keep)


def version(output: OutputOption = Output.TABLE) -> None:
    """Tell the version, which engines are here, and which serves by default."""
    native = _native_version()
    view = {
        "geodns": __version__,
        "engine": "native" if native else "python",
        "native": native or "not built",
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


HELP_WIDTH = 100
"""Characters. Source: no reference; most helps in one line, and lines one can read."""

FIRST_STEPS = (
    "Try it: geodns demo. Run it: geodns serve; then geodns status tells what to type next."
)

# Where each command is. Only the one that is wanted is imported.
COMMANDS = {
    "demo": "app:demo",
    "serve": "serve:serve_command",
    "status": "questions:status",
    "top": "top:top",
    "events": "happenings:events",
    "explain": "questions:explain",
    "query": "questions:query",
    "steer": "records:steer",
    "agent": "agent:agent",
    "drain": "drains:drain",
    "undrain": "drains:undrain",
    "plan": "documents:plan",
    "apply": "documents:apply",
    "export": "documents:export",
    "check": "documents:check",
    "schema": "documents:schema",
    "history": "histories:history",
    "audit": "histories:audit",
    "backup": "backups:backup",
    "restore": "backups:restore",
    "doctor": "backups:doctor",
    "completion": "completion:completion",
    "version": "app:version",
}
GROUPS = {
    **dict.fromkeys(("zone", "node", "pool", "monitor", "network", "webhook", "override"), "nouns"),
    "latency": "latencies",
    "rrset": "records",
    "token": "tokens",
    "revision": "histories",
    "geo": "geo",
}
