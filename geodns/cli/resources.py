"""What the commands for resources share: pages, refusals and prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from geodns.cli.output import Output, cell, warn, write_data, write_lines, write_object, write_table
from geodns.errors import Conflict, Reason, Stale

if TYPE_CHECKING:
    from geodns.net import Client

PAGE = 1000
"""How many resources one request asks for. Source: the most that the API gives."""

PREFIX = "/api/v1"


def api(data_dir: Path | None) -> Client:
    """The API, connected when it is first asked."""
    from geodns.cli.connection import connect

    return connect(data_dir)


def path_of(*parts: str) -> str:
    """The URL path of a resource, whatever its names hold."""
    if parts[:2] == ("zones", "."):  # the root zone; RFC 3986 section 5.2.4: "." would vanish
        parts = ("zones", "@", *parts[2:])
    return PREFIX + "".join("/" + quote(part, safe="@") for part in parts)


def items(client: Client, path: str) -> Iterator[dict[str, Any]]:
    """All resources of a collection, page by page."""
    params = {"limit": str(PAGE)}
    while True:
        page = client.request("GET", path, params=params).body
        yield from page["items"]
        if not page.get("next"):
            return
        params["cursor"] = page["next"]


def create(
    client: Client, path: str, body: Mapping[str, Any], params: Mapping[str, str], change: str
) -> dict[str, Any]:
    """Make what is not there yet; ``change`` is the command for what is.

    Errors: Conflict if it is there.
    """
    try:
        reply = client.request("PUT", path, body, params, {"If-None-Match": "*"})
    except Stale as stale:
        there = [Reason("", "exists", each.detail, hint=f"{change} changes it.")
                 for each in stale.reasons]  # fmt: skip
        raise Conflict(there) from None
    made: dict[str, Any] = reply.body
    return made


def show_list(
    found: Sequence[Mapping[str, Any]], columns: Sequence[str], output: Output, empty: str
) -> None:
    """Print resources; ``empty`` says what to do when there are none."""
    if output is not Output.TABLE:
        write_data(list(found), output)
    elif found:
        rows = [[cell(_field(item, column)) for column in columns] for item in found]
        write_table(columns, rows)
    else:
        write_lines([empty])


def show_one(item: Mapping[str, Any], output: Output) -> None:
    """Print one resource; fields that are not set are left out of what people read."""
    if output is Output.TABLE:
        write_object({name: value for name, value in item.items() if value not in (None, {}, [])})
    else:
        write_data(item, output)


def told(item: dict[str, Any], done: str, output: Output) -> None:
    """Print the outcome of a write and the server's notes on it."""
    warn(item.pop("warnings", []))
    if output is Output.TABLE:
        write_lines([f"{done}, revision {item['revision']}"])
    else:
        write_data(item, output)


def _field(item: Mapping[str, Any], column: str) -> Any:
    """A field; the ``state`` and ``location`` that come of it are within its status."""
    if column in ("state", "location"):
        return (item.get("status") or {}).get(column)
    return item.get(column)
