"""``geo``: what the geo database knows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodns.cli.options import DataDirOption, GeoDbOption, OutputOption
from geodns.cli.output import Output, write_data, write_fields
from geodns.cli.resources import api, path_of
from geodns.settings import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from geodns.daemon.geo import Geo

app = typer.Typer(help="Ask the geo database.", rich_markup_mode=None)


@app.command("lookup")
def lookup(
    address: Annotated[str, typer.Argument(metavar="ADDRESS")],
    geo_db: GeoDbOption = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Tell where an address is."""
    if geo_db or not _is_served(data_dir):
        _print(_look_up(address, geo_db), output)
        return
    with api(data_dir) as client:
        reply = client.request("GET", path_of("geo", "lookup"), params={"address": address})
    _print(reply.body, output)


@app.command("info")
def info(geo_db: GeoDbOption = None, output: OutputOption = Output.TABLE) -> None:
    """Tell which database a server here would use, and how old it is."""
    from geodns.geo.database import open_database

    with open_database(local_geo(geo_db).path) as database:
        about = database.info
    view = {
        "name": about.name,
        "built": about.build_date.isoformat(),
        "ip_version": about.ip_version,
        "path": str(about.path),
        "sha256": about.sha256,
    }
    _print(view, output)


def local_geo(path: Path | None) -> Geo:
    """The database of this machine: as named, else the server's own, else the bundled one."""
    from geodns.daemon.geo import Geo

    named = os.environ.get(f"{ENVIRONMENT_PREFIX}GEO_DB")
    return Geo(path or (Path(named) if named else None))


def _is_served(data_dir: Path | None) -> bool:
    """Whether a server is known that can be asked."""
    from geodns.cli.connection import ANNOUNCEMENT, directory_of

    return bool(os.environ.get("GEODNS_API")) or (
        (directory_of(data_dir, os.environ) / ANNOUNCEMENT).exists()
    )


def _look_up(address: str, geo_db: Path | None) -> dict[str, Any]:
    geo = local_geo(geo_db)
    place = geo.lookup(address)
    return {
        "address": address,
        "place": place.as_text() if place else None,
        "location": {"lat": place.latitude, "lon": place.longitude} if place else None,
        "database": geo.describe(),
    }


def _print(view: dict[str, Any], output: Output) -> None:
    if output is Output.TABLE:
        write_fields({name: "not known" if each is None else each for name, each in view.items()})
    else:
        write_data(view, output)
