"""The options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodns.cli.output import Output
from geodns.errors import ConfigError, Reason

OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="How to print.", show_default=True)
]
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="The server's data directory, where its address and token are. "
        "[GEODNS_SERVER_DATA_DIR; GEODNS_API and GEODNS_TOKEN need none]",
        show_default=False,
    ),
]
WaitOption = Annotated[bool, typer.Option("--wait", help="Return when all workers serve it.")]
PlanOption = Annotated[bool, typer.Option("--plan", help="Tell what it would do, and do nothing.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Override the brakes; needs --reason.")]
ReasonOption = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why, for the record.", show_default=False),
]
PruneOption = Annotated[
    bool,
    typer.Option("--prune", help="Remove what earlier documents of this name made and it lacks."),
]
FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="A document in YAML or JSON, of one or more files; - is standard input.",
    ),
]

GeoDbOption = Annotated[
    Path | None,
    typer.Option(
        "--geo-db",
        metavar="FILE",
        help="Look into this file. Default: the server's, else the bundled one.",
        show_default=False,
    ),
]

AsnDbOption = Annotated[
    Path | None,
    typer.Option(
        "--asn-db",
        metavar="FILE",
        help="Look autonomous systems up in this file. Default: the server's, if it has one.",
        show_default=False,
    ),
]


def terms(wait: bool, force: bool, reason: str | None, plan: bool = False) -> dict[str, str]:
    """The terms of a write as parameters of the API. Errors: ConfigError."""
    if force and not reason:
        detail = "--force needs --reason: the record says why."
        raise ConfigError([Reason("", "reason_required", detail)])
    flags = {"wait": wait, "force": force, "plan": plan}
    given = {name: "true" for name, is_given in flags.items() if is_given}
    return {**given, **({"reason": reason} if reason else {})}
