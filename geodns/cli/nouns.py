"""``zone``, ``node``, ``pool``, ``monitor`` and ``network``: list, show, add, set, remove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from geodns.cli.options import (
    DataDirOption,
    ForceOption,
    OutputOption,
    ReasonOption,
    WaitOption,
    terms,
)
from geodns.cli.output import Output, write_lines
from geodns.cli.resources import api, create, items, path_of, show_list, show_one, told
from geodns.errors import ConfigError

IdArgument = Annotated[str, typer.Argument(metavar="ID")]
FieldsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FIELD=VALUE...",
        help="The fields, values in YAML. a.b=… sets one key of a, field= restores the default.",
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

    def app(self) -> typer.Typer:
        """The commands."""
        app = typer.Typer(help=self.what, rich_markup_mode=None)
        app.command("list", help=f"List all {self.word}s.")(self.list)
        app.command("show", help=f"Show one {self.word} with all its fields.")(self.show)
        app.command("add", help=f"Add {self.one}.", epilog=f"Example: {self.how}")(self.add)
        app.command("set", help=f"Change fields of {self.one}.")(self.set)
        app.command("remove", help=f"Remove {self.one}.")(self.remove)
        return app

    @property
    def one(self) -> str:
        """The word with its article."""
        return f"{'an' if self.word[0] in 'aeiou' else 'a'} {self.word}"

    @property
    def how(self) -> str:
        """A command that adds one."""
        return f"geodns {self.word} add {self.example}"

    def list(self, output: OutputOption = Output.TABLE, data_dir: DataDirOption = None) -> None:
        with api(data_dir) as client:
            found = list(items(client, path_of(f"{self.word}s")))
        empty = f"There is no {self.word} yet. Add one: {self.how}"
        show_list(found, ("id", *self.columns), output, empty)

    def show(
        self, id_: IdArgument, output: OutputOption = Output.TABLE, data_dir: DataDirOption = None
    ) -> None:
        with api(data_dir) as client:
            show_one(client.request("GET", self._path(id_)).body, output)

    def add(
        self,
        id_: IdArgument,
        fields: FieldsArgument = None,
        wait: WaitOption = False,
        output: OutputOption = Output.TABLE,
        data_dir: DataDirOption = None,
    ) -> None:
        from geodns.cli.fields import parse_fields

        # What is null restores a default, and here nothing is there yet.
        body = {name: each for name, each in parse_fields(fields or ()).items() if each is not None}
        with api(data_dir) as client:
            change = f"geodns {self.word} set {id_} FIELD=VALUE"
            made = create(client, self._path(id_), body, terms(wait, False, None), change)
        told(made, f"{self.word} {id_} added", output)

    def set(
        self,
        id_: IdArgument,
        fields: FieldsArgument = None,
        wait: WaitOption = False,
        force: ForceOption = False,
        reason: ReasonOption = None,
        output: OutputOption = Output.TABLE,
        data_dir: DataDirOption = None,
    ) -> None:
        from geodns.cli.fields import parse_fields

        if not fields:
            raise ConfigError("Nothing to set: give at least one FIELD=VALUE.")
        body, params = parse_fields(fields), terms(wait, force, reason)
        with api(data_dir) as client:
            changed = client.request("PATCH", self._path(id_), body, params).body
        told(changed, f"{self.word} {id_} set", output)

    def remove(
        self,
        id_: IdArgument,
        wait: WaitOption = False,
        force: ForceOption = False,
        reason: ReasonOption = None,
        data_dir: DataDirOption = None,
    ) -> None:
        params = terms(wait, force, reason)
        with api(data_dir) as client:
            client.request("DELETE", self._path(id_), params=params)
        write_lines([f"{self.word} {id_} removed"])

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
