"""What the commands for resources share: pages, refusals and prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from geodns import __version__
from geodns.cli import complain
from geodns.cli.output import Output, cell, warn, write_data, write_lines, write_object, write_table
from geodns.cli.plans import show_plan
from geodns.errors import ConfigError, Conflict, GeodnsError, NotFound, Reason, Stale

if TYPE_CHECKING:
    from geodns.net import Client

PAGE = 1000
"""How many resources one request asks for. Source: the most that the API gives."""

SHOWN_MAX = 8
"""How many ids a hint lists. Source: no reference; what fits a line."""

PREFIX = "/api/v1"


@contextmanager
def api(data_dir: Path | None, patience_s: float | None = None) -> Iterator[Client]:
    """The API, connected when it is first asked."""
    from geodns.cli.connection import connect

    given = connect(data_dir) if patience_s is None else connect(data_dir, None, patience_s)
    with given as client:
        try:
            yield client
        except ConfigError as error:
            if any(_is_strange(reason) for reason in error.reasons):
                _compare_versions(client)
            raise


def path_of(*parts: str) -> str:
    """The URL path of a resource, whatever its names hold."""
    if parts[:2] == ("zones", "."):  # the root zone; RFC 3986 section 5.2.4: "." would vanish
        parts = ("zones", "@", *parts[2:])
    return PREFIX + "".join("/" + quote(part, safe="@") for part in parts)


def parse_filters(words: Iterable[str]) -> dict[str, str]:
    """Filters of a list as parameters of the API, which judges them. Errors: ConfigError."""
    found: dict[str, str] = {}
    for word in words:
        name, given, text = word.partition("=")
        if not given or not name or name in found:
            hint = "Write each once, like state=down."
            raise ConfigError([Reason("", "bad_form", f'"{word}" is no filter.', word, hint)])
        found[name] = text
    return found


def items(
    client: Client, path: str, filters: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """All resources of a collection, or those that filters leave, page by page."""
    params = {**(filters or {}), "limit": str(PAGE)}
    while True:
        page = client.request("GET", path, params=params).body
        yield from page["items"]
        if not page.get("next"):
            return
        params["cursor"] = page["next"]


@contextmanager
def known(client: Client, word: str, collection: str, id_: str, how: str) -> Iterator[None]:
    """Whoever names what is not there is told what there is; ``how`` makes the first."""
    try:
        yield
    except NotFound as error:
        if any(reason.hint for reason in error.reasons):
            raise
        hint = ""
        with suppress(GeodnsError):  # as of a zone that is not there
            there = [item["id"] for item in items(client, collection)]
            hint = like(id_, there) if there else f"There is no {word} yet; add one: {how}"
        raise NotFound([replace(each, hint=hint) for each in error.reasons]) from None


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


def told(item: dict[str, Any], done: str, output: Output, plan: bool = False) -> None:
    """Print the outcome of a write and the server's notes on it, or its plan."""
    if plan:
        show_plan(item, output)
        return
    warn(item.pop("warnings", []))
    if output is Output.TABLE:
        write_lines([f"{done}, revision {item['revision']}"])
    else:
        write_data(item, output)


def removed(reply: Any, done: str, plan: bool) -> None:
    """Print the outcome of a removal, or its plan."""
    if plan:
        show_plan(reply, Output.TABLE)
    else:
        write_lines([done])


def _field(item: Mapping[str, Any], column: str) -> Any:
    """A field; the ``state`` and ``location`` that come of it are within its status."""
    if column in ("state", "location"):
        return (item.get("status") or {}).get(column)
    return item.get(column)


def like(id_: str, there: Sequence[str]) -> str:
    """A hint for who named what is not there."""
    from difflib import get_close_matches

    found = get_close_matches(id_, there, n=3)
    return f"Did you mean {' or '.join(found)}?" if found else f"There are {_some(there)}."


def _some(there: Sequence[str]) -> str:
    more = f" and {len(there) - SHOWN_MAX} more" if len(there) > SHOWN_MAX else ""
    return ", ".join(there[:SHOWN_MAX]) + more


def _is_strange(reason: Reason) -> bool:
    """Whether a server of our own version would hardly have said this to our own commands."""
    if reason.code in ("unknown_field", "unknown_parameter", "method_not_allowed"):
        return True
    return reason.code == "not_found" and reason.detail.startswith("There is nothing at ")


def _compare_versions(client: Client) -> None:
    with suppress(GeodnsError, LookupError, TypeError):
        theirs = client.request("GET", "/openapi.json").body["info"]["version"]
        if theirs != __version__:
            told = f"note: The server is geodns {theirs}, this command is of {__version__}: "
            complain(f"{told}what one knows the other may not.")
