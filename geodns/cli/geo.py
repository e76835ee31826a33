"""``geo``: what the geo database knows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodns.cli.options import AsnDbOption, DataDirOption, GeoDbOption, OutputOption
from geodns.cli.output import Output, write_data, write_fields
from geodns.cli.resources import api, path_of
from geodns.settings import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from geodns.daemon.geo import Geo
    from geodns.geo.database import DatabaseInfo


def app(_: str) -> typer.Typer:
    """The commands."""
    from geodns.cli.geo_update import update

    commands = typer.Typer(help="Ask and renew the geo database.", rich_markup_mode=None)
    commands.command("lookup")(lookup)
    commands.command("info")(info)
    commands.command("update")(update)
    return commands


def lookup(
    address: Annotated[str, typer.Argument(metavar="ADDRESS")],
    geo_db: GeoDbOption = None,
    asn_db: AsnDbOption = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Tell where an address is, and who announces it."""
    if geo_db or asn_db or not _is_served(data_dir):
        _print(_look_up(address, local_geo(geo_db, asn_db)), output)
        return
    with api(data_dir) as client:
        reply = client.request("GET", path_of("geo", "lookup"), params={"address": address})
    _print(reply.body, output)


def info(
    geo_db: GeoDbOption = None,
    asn_db: AsnDbOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Tell which databases a server here would use, and how old they are."""
    from geodns.geo.asn_database import open_asns
    from geodns.geo.database import open_database

    geo = local_geo(geo_db, asn_db)
    with open_database(geo.path) as database:
        view = _about(database.info)
    if geo.asn_path:
        view |= {f"asn_{name}": each for name, each in _about(open_asns(geo.asn_path).info).items()}
    _print(view, output)


def _about(info: DatabaseInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "built": info.build_date.isoformat(),
        "ip_version": info.ip_version,
        "path": str(info.path),
        "sha256": info.sha256,
    }


def local_geo(path: Path | None, asn_path: Path | None = None) -> Geo:
    """The databases of this machine: as named, else the server's own, else what is bundled."""
    from geodns.daemon.geo import Geo

    return Geo(path or named("GEO_DB"), asn_path or named("ASN_DB"))


def named(setting: str) -> Path | None:
    """The file that the environment names for a setting of the server."""
    path = os.environ.get(ENVIRONMENT_PREFIX + setting)
    return Path(path) if path else None


def _is_served(data_dir: Path | None) -> bool:
    """Whether a server is known that can be asked."""
    from geodns.cli.connection import ANNOUNCEMENT, directory_of

    return bool(os.environ.get("GEODNS_API")) or (
        (directory_of(data_dir, os.environ) / ANNOUNCEMENT).exists()
    )


def _look_up(address: str, geo: Geo) -> dict[str, Any]:
    place = geo.lookup(address)
    view = {
        "address": address,
        "place": place.as_text() if place else None,
        "location": {"lat": place.latitude, "lon": place.longitude} if place else None,
        "database": geo.describe(),
    }
    if geo.knows_asns:
        asn = geo.asn(address)
        view |= {"asn": asn.as_text() if asn else None, "asn_database": geo.describe_asns()}
    return view


def _print(view: dict[str, Any], output: Output) -> None:
    if output is Output.TABLE:
        write_fields({name: "not known" if each is None else each for name, each in view.items()})
    else:
        write_data(view, output)
