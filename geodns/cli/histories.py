"""``history``, ``audit`` and ``revision``: who changed what, when and why, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodns.cli.completion import resources
from geodns.cli.options import (
    DataDirOption,
    ForceOption,
    OutputOption,
    PlanOption,
    ReasonOption,
    WaitOption,
    terms,
)
from geodns.cli.output import Output, warn, write_data, write_fields, write_lines
from geodns.cli.plans import differences, show_plan
from geodns.cli.resources import api, path_of, show_list
from geodns.errors import ConfigError, Reason

if TYPE_CHECKING:
    from geodns.net import Client

PAGE = 100
"""Entries of the audit that one request asks for. Source: no reference; each has whole bodies."""

KEYS = {
    **dict.fromkeys(
        ("zone", "node", "pool", "monitor", "network", "latency", "webhook", "override", "token"),
        ("ID",),
    ),
    "steer": ("ZONE", "OWNER"),
    "rrset": ("ZONE", "OWNER", "TYPE"),
}
"""The words that name a resource of each kind."""

SIGNS = {(True, False): "+", (False, True): "-"}

LimitOption = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="How many at most.")
]

app = typer.Typer(help="Revisions: what each change did, and the way back.", rich_markup_mode=None)

NumberArgument = Annotated[int, typer.Argument(metavar="N", min=1, help="The revision's number.")]


def history(
    resource: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KIND ID...]", help="One resource, like node fra1 or rrset "
                       "example.com www A. Default: all.", autocompletion=resources),
    ] = None,
    limit: LimitOption = 20,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:  # fmt: skip
    """Tell what changed, newest first: of one resource, or of all."""
    wanted = _wanted(resource or [])
    with api(data_dir) as client:
        found = [entry for entry, _ in zip(_touching(client, wanted), range(limit), strict=False)]
    if output is not Output.TABLE:
        write_data(found, output)
        return
    for entry in found:
        write_lines([_headline(entry), *_told(entry["changes"])])
    if not found:
        write_lines(["Nothing has changed yet."])


def audit(
    limit: LimitOption = 50,
    verify: Annotated[
        bool, typer.Option("--verify", help="Hold every entry against the chain of hashes.")
    ] = False,
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="With --verify: this entry is there still.")
    ] = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Tell who did what, newest first; or verify that nobody has changed that record."""
    with api(data_dir) as client:
        if verify or head is not None:
            params = {} if head is None else {"head": head}
            found = client.request("GET", path_of("audit", "verify"), params=params).body
            _show_verified(found, output)
            return
        found = [each for each, _ in zip(_pages(client, "audit"), range(limit), strict=False)]
    rows = found if output is not Output.TABLE else [{**each, **_objects(each)} for each in found]
    columns = ("number", "at", "actor", "revision", "what", "reason", "document")
    show_list(rows, columns, output, "Nothing was done yet.")


@app.command("list")
def list_revisions(
    limit: LimitOption = 50, output: OutputOption = Output.TABLE, data_dir: DataDirOption = None
) -> None:
    """List revisions, newest first."""
    with api(data_dir) as client:
        found = [each for each, _ in zip(_pages(client, "revisions"), range(limit), strict=False)]
    columns = ("revision", "at", "actor", "changed", "reason", "document")
    show_list(found, columns, output, "There is no revision yet.")


@app.command("show")
def show_revision(
    number: NumberArgument, output: OutputOption = Output.TABLE, data_dir: DataDirOption = None
) -> None:
    """Show what one revision changed."""
    with api(data_dir) as client:
        found = client.request("GET", path_of("revisions", str(number))).body
    if output is Output.TABLE:
        write_lines([_headline(found), *_told(found["changes"])])
    else:
        write_data(found, output)


@app.command("restore")
def restore_revision(
    number: NumberArgument,
    wait: WaitOption = False,
    plan: PlanOption = False,
    force: ForceOption = False,
    reason: ReasonOption = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Make everything what it was after a revision; that is a new revision."""
    params = terms(wait, force, reason, plan)
    with api(data_dir) as client:
        path = path_of("revisions", str(number), "restore")
        done = client.request("POST", path, params=params).body
    if plan:
        show_plan(done, output)
    elif output is not Output.TABLE:
        write_data(done, output)
    else:
        warn(done["warnings"])
        what = f"revision {number} restored" if done["changed"] else "nothing to change"
        write_lines([f"{what}, revision {done['revision']}"])


def _wanted(words: list[str]) -> tuple[str, str] | None:
    """Kind and id as the audit has them; None for all. Errors: ConfigError."""
    if not words:
        return None
    parts = [part for word in words for part in word.split("/")]
    kind, key = parts[0], parts[1:]
    if kind not in KEYS:
        hint = f"There are {', '.join(KEYS)}."
        raise ConfigError([Reason("", "not_a_choice", f"{kind} is no kind.", hint=hint)])
    if len(key) != len(KEYS[kind]):
        form = " ".join(KEYS[kind])
        raise ConfigError(f"One {kind} is named by geodns history {kind} {form}.")
    return kind, "/".join(key)


def _touching(client: Client, wanted: tuple[str, str] | None) -> Iterator[dict[str, Any]]:
    """Entries that changed the resource, each with no other change."""
    for entry in _pages(client, "audit"):
        changes = [
            each for each in entry["changes"] if wanted in (None, (each["kind"], each["id"]))
        ]
        if changes:
            yield {**entry, "changes": changes}


def _pages(client: Client, what: str) -> Iterator[dict[str, Any]]:
    params = {"limit": str(PAGE)}
    while True:
        page = client.request("GET", path_of(what), params=params).body
        yield from page["items"]
        if not page["next"]:
            return
        params["cursor"] = page["next"]


def _show_verified(found: Mapping[str, Any], output: Output) -> None:
    if output is not Output.TABLE:
        write_data(found, output)
    elif found["last"] is None:
        write_lines(["The audit is empty."])
    else:
        write_fields({"sound": True, **found})


def _headline(entry: Mapping[str, Any]) -> str:
    number = entry["revision"]
    parts = [f"revision {number}" if number else "no revision", entry["at"], entry["actor"]]
    if entry["document"]:
        parts.append(f"by document {entry['document']}")
    if entry["reason"]:
        parts.append(f"because: {entry['reason']}")
    return "  ".join(parts)


def _told(changes: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    for change in changes:
        before, after = change["before"], change["after"]
        sign = SIGNS.get((before is None, after is None), "~")
        name = f"{change['kind']} {change['id'].replace('/', ' ')}"
        lines += [f"  {sign} {name}", *(f"  {line}" for line in differences(before, after))]
    return lines


def _objects(entry: Mapping[str, Any]) -> dict[str, str]:
    """The first changes in words, for a line of a table."""
    names = [line.strip() for change in entry["changes"][:3] for line in _told([change])[:1]]
    more = len(entry["changes"]) - len(names)
    return {"what": ", ".join(names) + (f" and {more} more" if more else "")}
