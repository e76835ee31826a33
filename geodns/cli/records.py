"""``rrset`` and ``steer``: what the names of a zone answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

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
from geodns.cli.output import Output
from geodns.cli.resources import (
    api,
    create,
    items,
    known,
    path_of,
    removed,
    show_list,
    show_one,
    told,
)
from geodns.errors import ConfigError, NotFound, Reason

if TYPE_CHECKING:
    from geodns.net import Client

app = typer.Typer(help="Static records: one set for each owner and type.", rich_markup_mode=None)

EXAMPLE = "geodns rrset add example.com www TXT '\"hello world\"' --ttl 300"

ZoneArgument = Annotated[str, typer.Argument(metavar="ZONE", autocompletion=completion.zones)]
OwnerArgument = Annotated[
    str,
    typer.Argument(metavar="OWNER", help="The name within the zone; @ is the zone's own.",
                   autocompletion=completion.owners),
]  # fmt: skip
TypeArgument = Annotated[
    str,
    typer.Argument(metavar="TYPE", help="A, AAAA, MX, TXT and so on.",
                   autocompletion=completion.rtypes),
]  # fmt: skip
ValuesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="VALUE...", help="Data as in a master file.")
]
TtlOption = Annotated[
    int | None, typer.Option("--ttl", metavar="SECONDS", help="Time to live.", show_default=False)
]


@app.command("list")
def list_rrsets(
    zone: Annotated[
        str | None,
        typer.Argument(metavar="ZONE", show_default=False, autocompletion=completion.zones),
    ] = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """List the RRsets of a zone, or of all."""
    with api(data_dir) as client:
        zones = [zone] if zone else [each["id"] for each in items(client, path_of("zones"))]
        found = [
            {"zone": name, **_named(item)}
            for name in zones
            for item in items(client, path_of("zones", name, "rrsets"))
        ]
    show_list(found, ("zone", "owner", "type", "ttl", "values"), output, f"No RRsets: {EXAMPLE}")


@app.command("show")
def show_rrset(
    zone: ZoneArgument,
    owner: OwnerArgument,
    rtype: TypeArgument,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Show one RRset."""
    with api(data_dir) as client, _known(client, zone, owner, rtype):
        found = client.request("GET", _path(zone, owner, rtype)).body
    show_one(found, output)


@app.command("add", epilog=f"Example: {EXAMPLE}")
def add_rrset(
    zone: ZoneArgument,
    owner: OwnerArgument,
    rtype: TypeArgument,
    values: ValuesArgument = None,
    ttl: TtlOption = None,
    wait: WaitOption = False,
    plan: PlanOption = False,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Add an RRset."""
    body, params = _body(values, ttl), terms(wait, False, None, plan)
    with api(data_dir) as client:
        change = f"geodns rrset set {zone} {owner} {rtype}"
        made = create(client, _path(zone, owner, rtype), body, params, change)
    told(made, f"rrset {owner} {rtype} of {zone} added", output, plan)


@app.command("set")
def set_rrset(
    zone: ZoneArgument,
    owner: OwnerArgument,
    rtype: TypeArgument,
    values: ValuesArgument = None,
    ttl: TtlOption = None,
    wait: WaitOption = False,
    plan: PlanOption = False,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Change the values of an RRset, its TTL, or both."""
    body = _body(values, ttl)
    if not body:
        raise ConfigError("Nothing to set: give values or --ttl.")
    params = terms(wait, False, None, plan)
    with api(data_dir) as client, _known(client, zone, owner, rtype):
        changed = client.request("PATCH", _path(zone, owner, rtype), body, params).body
    told(changed, f"rrset {owner} {rtype} of {zone} set", output, plan)


@app.command("remove")
def remove_rrset(
    zone: ZoneArgument,
    owner: OwnerArgument,
    rtype: TypeArgument,
    wait: WaitOption = False,
    plan: PlanOption = False,
    force: ForceOption = False,
    reason: ReasonOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Remove an RRset."""
    params = terms(wait, force, reason, plan)
    with api(data_dir) as client, _known(client, zone, owner, rtype):
        done = client.request("DELETE", _path(zone, owner, rtype), params=params).body
    removed(done, f"rrset {owner} {rtype} of {zone} removed", plan)


def steer(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="The name; a zone's own works too.",
            autocompletion=completion.names,
        ),
    ],
    pool: Annotated[
        str | None,
        typer.Argument(metavar="POOL", show_default=False, autocompletion=completion.pools),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            "--split",
            metavar="POOL=WEIGHT",
            help="Split users among pools, each staying with one; repeat it for each.",
            show_default=False,
        ),
    ] = None,
    ttl: TtlOption = None,
    remove: Annotated[bool, typer.Option("--remove", help="Steer the name no longer.")] = False,
    wait: WaitOption = False,
    plan: PlanOption = False,
    force: ForceOption = False,
    reason: ReasonOption = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Answer a name with the nearest healthy nodes of a pool; without one, show how it is."""
    if remove + bool(pool) + bool(split) > 1:
        raise ConfigError("Give a POOL, --split or --remove: one of them.")
    params = terms(wait, force, reason, plan)
    with api(data_dir) as client:
        zone, owner = find_zone(client, name)
        path = path_of("zones", zone, "steers", owner)
        if remove:
            done = client.request("DELETE", path, params=params).body
            removed(done, f"{name} is steered no longer", plan)
            return
        if not (pool or split or ttl is not None):
            show_one(client.request("GET", path).body, output)
            return
        wanted = {"pool": pool, "split": _split(client, path, split or ()) or None, "ttl": ttl}
        body = {field: value for field, value in wanted.items() if value is not None}
        to = f" to {pool or ', '.join(split or ())}" if pool or split else ""
        told(_put(client, path, body, params), f"{name} steered{to}", output, plan)


def _split(client: Client, path: str, words: Sequence[str]) -> dict[str, int | None]:
    """A merge patch that makes these the only arms. Errors: ConfigError."""
    arms: dict[str, int | None] = {}
    for word in words:
        pool, given, weight = word.partition("=")
        if not (given and weight.isascii() and weight.isdecimal()) or pool in arms:
            hint = "Write each pool once, like --split web=95 --split canary=5."
            raise ConfigError([Reason("/split", "bad_value", f"{word} is no share.", word, hint)])
        arms[pool] = int(weight)
    if arms:
        with suppress(NotFound):
            before = client.request("GET", path).body["split"] or {}
            arms |= {pool: None for pool in before if pool not in arms}
    return arms


def find_zone(client: Client, name: str) -> tuple[str, str]:
    """The zone that holds a name and the owner within it: the longest match.

    Errors: NotFound if no zone does.
    """
    from geodns.dns.names import ROOT, canonical, from_text, parent, to_url

    wire = canonical(from_text(name))
    origin = wire
    while True:
        zone = to_url(origin)
        try:
            client.request("GET", path_of("zones", zone))
        except NotFound:
            if origin == ROOT:
                break
            origin = parent(origin)
        else:
            return zone, to_url(wire, origin)
    hint = _near(name, [item["id"] for item in items(client, path_of("zones"))])
    raise NotFound([Reason("", "not_found", f"No zone holds {name}.", name, hint)])


def _near(name: str, zones: list[str]) -> str:
    """A hint for a name in none of the zones: which of them it nearly ends like."""
    from difflib import get_close_matches

    labels = name.rstrip(".").split(".")
    ends = {zone: ".".join(labels[-1 - zone.count(".") :]) for zone in zones}
    near = [zone for zone, end in ends.items() if get_close_matches(end, [zone])]
    if near:
        return f"Did you mean one in {' or '.join(near)}?"
    if not zones:
        return "There is no zone yet; geodns zone add makes one."
    return "geodns zone list shows those there are."


@contextmanager
def _known(client: Client, zone: str, owner: str, rtype: str) -> Iterator[None]:
    wanted = f"{owner}/{rtype}"
    below, make = path_of("zones", zone, "rrsets"), f"geodns rrset add {zone} {owner} {rtype} …"
    with (
        known(client, "zone", path_of("zones"), zone, "geodns zone add …"),
        known(client, "rrset", below, wanted, make),
    ):
        yield


def _put(client: Client, path: str, body: dict[str, Any], params: dict[str, str]) -> dict[str, Any]:
    """Change what is there, else make it."""
    try:
        reply = client.request("PATCH", path, body, params)
    except NotFound:
        reply = client.request("PUT", path, body, params)
    answer: dict[str, Any] = reply.body
    return answer


def _path(zone: str, owner: str, rtype: str) -> str:
    return path_of("zones", zone, "rrsets", owner, rtype)


def _body(values: list[str] | None, ttl: int | None) -> dict[str, Any]:
    return {**({"values": values} if values else {}), **({} if ttl is None else {"ttl": ttl})}


def _named(item: dict[str, Any]) -> dict[str, Any]:
    owner, _, rtype = item["id"].rpartition("/")
    return {"owner": owner, "type": rtype, **item}
