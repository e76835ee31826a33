"""``zone export`` and ``zone import``: a zone as a master file."""

from __future__ import annotations

from typing import Annotated

import typer

from geodns.cli import completion
from geodns.cli.options import (
    DataDirOption,
    ForceOption,
    OutputOption,
    PlanOption,
    ReasonOption,
    WaitOption,
    terms,
)
from geodns.cli.output import Output, warn, write, write_data, write_lines
from geodns.cli.plans import show_plan
from geodns.cli.progress import servers_own, working
from geodns.cli.resources import api, known, path_of

PATIENCE_S = 600.0
"""Source: no reference; a zone of a million lines is checked in less."""

ZoneArgument = Annotated[str, typer.Argument(metavar="ID", autocompletion=completion.zones)]
FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="A master file (RFC 1035); - reads standard input.")
]
ADD = "geodns zone add …"


def export_zone(id_: ZoneArgument, data_dir: DataDirOption = None) -> None:
    """Print a zone as a master file; what is steered stays with the server."""
    zones = path_of("zones")
    with api(data_dir, PATIENCE_S) as client, known(client, "zone", zones, id_, ADD):
        text = client.request("GET", path_of("zones", id_, "zonefile")).body
    write(text)


def import_zone(
    id_: ZoneArgument,
    file: FileArgument,
    wait: WaitOption = False,
    plan: PlanOption = False,
    force: ForceOption = False,
    reason: ReasonOption = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Make a zone what a master file says; what is steered stays."""
    from geodns.cli.documents import read_text

    params, headers = terms(wait, force, reason, plan), {"Content-Type": "text/dns"}
    with api(data_dir, PATIENCE_S) as client, working(f"reading {file}") as told:
        octets, sent = read_text(file).encode(), told.sent("sending", "the server works")
        path = path_of("zones", id_, "zonefile")
        with servers_own(data_dir, told):
            done = client.request("PUT", path, octets, params, headers, sent).body
    if plan:
        show_plan(done, output)
    elif output is not Output.TABLE:
        write_data(done, output)
    else:
        warn(done.get("warnings", []))
        write_lines([f"zone {id_} imported, revision {done['revision']}"])
