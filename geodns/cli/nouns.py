"""``zone``, ``node``, ``pool``, ``monitor`` and ``network``: list, show, add, set, remove."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

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
    parse_filters,
    path_of,
    removed,
    show_list,
    show_one,
    told,
)
from geodns.errors import ConfigError

if TYPE_CHECKING:
    from geodns.net import Client

IdArgument = Annotated[str, typer.Argument(metavar="ID", autocompletion=completion.ids)]
NewIdArgument = Annotated[str, typer.Argument(metavar="ID")]
FieldsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FIELD=VALUE...",
        autocompletion=completion.fields,
        help="The fields, values in YAML. a.b=… sets one key of a, field= restores the default.",
    ),
]


FiltersArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME=VALUE...",
        help="Only these, as the API filters: prefix=fra, state=down, label=site=fra.",
        autocompletion=completion.filters,
    ),
]


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of resource that has an id, with its commands.

    Shape: ``columns`` are the fields worth a list, ``example`` is how one is added.
    """

    word: str
    what: str
    columns: tuple[str, ...]
    example: str

    def commands(self) -> typer.Typer:
        """The commands."""
        app = typer.Typer(help=self.what, rich_markup_mode=None)
        app.command("list", help=f"List all {self.word}s.")(self.list)
        app.command("show", help=f"Show one {self.word} with all its fields.")(self.show)
        app.command("add", help=f"Add {self.one}.", epilog=f"Example: {self.how}")(self.add)
        app.command("set", help=f"Change fields of {self.one}.")(self.set)
        app.command("remove", help=f"Remove {self.one}.")(self.remove)
        if self.word == "zone":
            from geodns.cli.zonefiles import export_zone, import_zone

            app.command("export")(export_zone)
            app.command("import")(import_zone)
        return app

    @property
    def one(self) -> str:
        """The word with its article."""
        return f"{'an' if self.word[0] in 'aeiou' else 'a'} {self.word}"

    @property
    def how(self) -> str:
        """A command that adds one."""
        return f"geodns {self.word} add {self.example}"

    def list(
        self,
        filters: FiltersArgument = None,
        output: OutputOption = Output.TABLE,
        data_dir: DataDirOption = None,
    ) -> None:
        wanted = parse_filters(filters or ())
        with api(data_dir) as client:
            found = list(items(client, path_of(f"{self.word}s"), wanted))
        empty = f"There is no {self.word} yet. Add one: {self.how}"
        if wanted:
            empty = f"There is no {self.word} like this."
        show_list(found, ("id", *self.columns), output, empty)

    def show(
        self, id_: IdArgument, output: OutputOption = Output.TABLE, data_dir: DataDirOption = None
    ) -> None:
        with api(data_dir) as client, self._known(client, id_):
            found = client.request("GET", self._path(id_)).body
        show_one(found, output)

    def add(
        self,
        id_: NewIdArgument,
        fields: FieldsArgument = None,
        wait: WaitOption = False,
        plan: PlanOption = False,
        output: OutputOption = Output.TABLE,
        data_dir: DataDirOption = None,
    ) -> None:
        from geodns.cli.fields import parse_fields

        # What is null restores a default, and here nothing is there yet.
        body = {name: each for name, each in parse_fields(fields or ()).items() if each is not None}
        with api(data_dir) as client:
            change = f"geodns {self.word} set {id_} FIELD=VALUE"
            params = terms(wait, False, None, plan)
            made = create(client, self._path(id_), body, params, change)
        told(made, f"{self.word} {id_} added", output, plan)

    def set(
        self,
        id_: IdArgument,
        fields: FieldsArgument = None,
        wait: WaitOption = False,
        plan: PlanOption = False,
        force: ForceOption = False,
        reason: ReasonOption = None,
        output: OutputOption = Output.TABLE,
        data_dir: DataDirOption = None,
    ) -> None:
        from geodns.cli.fields import parse_fields

        if not fields:
            raise ConfigError("Nothing to set: give at least one FIELD=VALUE.")
        body, params = parse_fields(fields), terms(wait, force, reason, plan)
        with api(data_dir) as client, self._known(client, id_):
            changed = client.request("PATCH", self._path(id_), body, params).body
        told(changed, f"{self.word} {id_} set", output, plan)

    def remove(
        self,
        id_: IdArgument,
        wait: WaitOption = False,
        plan: PlanOption = False,
        force: ForceOption = False,
        reason: ReasonOption = None,
        data_dir: DataDirOption = None,
    ) -> None:
        params = terms(wait, force, reason, plan)
        with api(data_dir) as client, self._known(client, id_):
            done = client.request("DELETE", self._path(id_), params=params).body
        removed(done, f"{self.word} {id_} removed", plan)

    def _known(self, client: Client, id_: str) -> AbstractContextManager[None]:
        return known(client, self.word, path_of(f"{self.word}s"), id_, self.how)

    def _path(self, id_: str) -> str:
        return path_of(f"{self.word}s", id_)


NOUNS = (
    Noun("zone", "Zones we are authoritative for.", ("nameservers", "ttl", "negative_ttl", "ecs"),
         "example.com nameservers=ns1.example.net,ns2.example.net"),
    Noun("node", "Edge nodes: where they stand, under which addresses they answer.",
         ("state", "addresses", "location", "weight", "labels"),
         "fra1 addresses=192.0.2.10,2001:db8::10 at=FRA labels.tier=edge"),
    Noun("pool", "Pools: which nodes answer together, and in what order.",
         ("nodes", "select", "order", "monitor", "fallback", "all_down"),
         "web select.tier=edge"),
    Noun("monitor", "Monitors: how health is probed.",
         ("type", "host", "port", "path", "interval_s", "timeout_s"),
         "web type=https host=www.example.com path=/healthz"),
    Noun("network", "Networks: subnets whose place we know better than the geo database.",
         ("subnets", "location"),
         "office subnets=198.51.100.0/24,2001:db8:7::/48 at=MXP"),
    Noun("webhook", "Webhooks: whom changes of health are told to.",
         ("url", "events", "format"),
         "ops url=https://hooks.example.com/geodns secret=…"),
    Noun("override", "Overrides: nodes held up or down, whatever their health.",
         ("state", "match", "from", "until", "reason", "author"),
         "works match='{labels: {site: fra}}' state=down reason=move until=2026-12-01T06:00:00Z"),
)  # fmt: skip


def app(word: str) -> typer.Typer:
    """The commands of one noun."""
    return next(noun for noun in NOUNS if noun.word == word).commands()
