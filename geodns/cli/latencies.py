"""``latency``: tables of measured round trips, in and out as CSV."""

from __future__ import annotations

from typing import Annotated

import typer

from geodns.cli import completion
from geodns.cli.options import (
    DataDirOption,
    ForceOption,
    OutputOption,
    ReasonOption,
    WaitOption,
    terms,
)
from geodns.cli.output import Output, write, write_lines
from geodns.cli.resources import api, items, path_of, show_list, told

app = typer.Typer(
    help="Latency tables: how long the way from users to nodes was measured to be.",
    rich_markup_mode=None,
)

EXAMPLE = "geodns latency set measured table.csv"

IdArgument = Annotated[str, typer.Argument(metavar="ID", autocompletion=completion.ids)]


@app.command("list")
def list_tables(output: OutputOption = Output.TABLE, data_dir: DataDirOption = None) -> None:
    """List all tables."""
    with api(data_dir) as client:
        found = list(items(client, path_of("latency")))
    show_list(found, ("id", "rows", "nodes"), output, f"There is no latency table yet: {EXAMPLE}")


@app.command("show")
def show_table(id_: IdArgument, data_dir: DataDirOption = None) -> None:
    """Print a table as CSV."""
    with api(data_dir) as client:
        write(client.request("GET", path_of("latency", id_)).body)


@app.command("set", epilog=f"Example: {EXAMPLE}")
def set_table(
    id_: IdArgument,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="CSV with the header from,node,rtt_ms,samples; from is a subnet, AS64500, NA-US "
            "or NA-US-CA. - reads standard input.",
        ),
    ],
    wait: WaitOption = False,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Make or replace a table."""
    from geodns.cli.documents import read_text

    text, headers = read_text(file), {"Content-Type": "text/csv"}
    with api(data_dir) as client:
        params = terms(wait, False, None)
        done = client.request("PUT", path_of("latency", id_), text.encode(), params, headers).body
    told(done, f"latency {id_} set, {done['rows']} rows", output)


@app.command("remove")
def remove_table(
    id_: IdArgument,
    wait: WaitOption = False,
    force: ForceOption = False,
    reason: ReasonOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Remove a table."""
    params = terms(wait, force, reason)
    with api(data_dir) as client:
        client.request("DELETE", path_of("latency", id_), params=params)
    write_lines([f"latency {id_} removed"])
