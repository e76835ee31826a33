"""``plan``, ``apply``, ``export`` and ``check``: the whole configuration in one piece."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodns.cli.lines import in_lines
from geodns.cli.options import (
    DataDirOption,
    FilesArgument,
    ForceOption,
    GeoDbOption,
    OutputOption,
    PruneOption,
    ReasonOption,
    WaitOption,
    terms,
)
from geodns.cli.output import Output, warn, write_data, write_lines
from geodns.cli.plans import show_plan
from geodns.cli.progress import Working, servers_own, working
from geodns.cli.resources import api, path_of
from geodns.errors import ConfigError, Reason

if TYPE_CHECKING:
    from geodns.model.config import Config

HAS_CHANGES = 5

PLAN = "geodns_plan"
"""The field that makes a file a plan: the revision that it was made for."""

DOCUMENT_PATIENCE_S = 600.0
"""Source: no reference; sixty times what 10,000 nodes and 100,000 RRsets may take."""

FILE_MAX_OCTETS = 2**26
"""Source: the bound on the document's text, in octets."""


def plan(
    files: FilesArgument,
    prune: PruneOption = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help=f"Exit {HAS_CHANGES} if it has changes.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="PLAN", help="Keep it, for apply to do just this.",
                     show_default=False),
    ] = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> int:  # fmt: skip
    """Tell what applying a document would do."""
    with in_lines(files), working(f"reading {' '.join(files)}") as told:
        document = read_documents(files)
        planned = _sent(data_dir, "POST", "plan", document, _prune(prune), {}, told)
    if save is not None:
        _save(save, {PLAN: planned["base"], "prune": prune, "document": document})
    show_plan(planned, output)
    return HAS_CHANGES if exit_code and planned["changes"] else 0


def apply(
    files: FilesArgument,
    prune: PruneOption = False,
    wait: WaitOption = False,
    force: ForceOption = False,
    reason: ReasonOption = None,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Add and replace what a document holds, or do what a saved plan says."""
    wanted = terms(wait, force, reason)
    with in_lines(files), working(f"reading {' '.join(files)}") as told:
        document, headers = read_documents(files), {}
        if isinstance(document, dict) and PLAN in document:
            # If anything has changed since, the plan is no longer what would be done.
            headers["If-Match"] = f'"{document[PLAN]}"'
            prune, document = bool(document.get("prune")), document.get("document")
        params = {**_prune(prune), **wanted}
        applied = _sent(data_dir, "PUT", "document", document, params, headers, told)
    if output is not Output.TABLE:
        write_data(applied, output)
        return
    warn(applied["warnings"])
    done = "applied" if applied["changed"] else "nothing to change"
    write_lines([f"{done}, revision {applied['revision']}"])


def schema() -> None:
    """Print the JSON Schema of documents, by which editors complete and check."""
    from geodns.document.schema import document_schema

    write_data(document_schema(), Output.JSON)


def export(
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to print; a table there is not.")
    ] = Output.YAML,
    data_dir: DataDirOption = None,
) -> None:
    """Print the whole configuration as a document."""
    if output is Output.TABLE:
        raise ConfigError("A document is no table; export it as yaml or json.")
    with api(data_dir, DOCUMENT_PATIENCE_S) as client, working("the server writes it"):
        document = client.request("GET", path_of("document")).body
    write_data(document, output)


def check(
    files: FilesArgument, geo_db: GeoDbOption = None, output: OutputOption = Output.TABLE
) -> None:
    """Check a document without any server."""
    from geodns.document.check import check as faults_of
    from geodns.document.check import warnings
    from geodns.document.load import from_document

    with in_lines(files), working(f"reading {' '.join(files)}") as told:
        document = read_documents(files)
        told.step("checking")
        config = from_document(document)
        notes: list[Reason] = []
        if any(node.at is None and node.location is None for node in config.nodes.values()):
            config, notes = _placed(config, geo_db)
        if faults := faults_of(config):
            raise ConfigError(faults)
        notes += warnings(config)
    if output is not Output.TABLE:
        write_data({"warnings": [_view(note) for note in notes]}, output)
        return
    warn([_view(note) for note in notes])
    write_lines([f"{' '.join(files)} is sound"])


def read_documents(files: list[str]) -> Any:
    """The data of one document in several files, with the variables that each declares.

    Errors: ConfigError if one cannot be read, or two contradict each other.
    """
    from geodns.document.compose import expanded, merged

    return merged({file: expanded(read_document(file), os.environ) for file in files})


def _sent(
    data_dir: Path | None,
    method: str,
    what: str,
    document: object,
    params: Mapping[str, str],
    headers: Mapping[str, str],
    told: Working,
) -> Any:
    """The server's answer to a document; how far it is told on the way."""
    wait = ", and workers serve it" if params.get("wait") else ""
    then = f"the server checks{' and stores' if method == 'PUT' else ''} it{wait}"
    sent = told.sent("sending", then)
    with api(data_dir, DOCUMENT_PATIENCE_S) as client, servers_own(data_dir, told):
        return client.request(method, path_of(what), document, params, headers, sent).body


def _save(path: Path, content: Mapping[str, Any]) -> None:
    """Keep a plan, which may hold secrets, for its owner only. Errors: ConfigError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from None


def read_document(file: str) -> Any:
    """The data in a file, or in standard input for ``-``.

    Errors: ConfigError if it cannot be read or is no YAML.
    """
    from geodns.document.reader import read_yaml

    text = read_text(file)
    if (found := _as_json(text)) is not None:
        return found
    try:
        return read_yaml(text)
    except ConfigError as error:
        raise ConfigError(
            Reason(each.pointer, each.code, f"{file}: {each.detail}", each.value, each.hint)
            for each in error.reasons
        ) from None


def _as_json(text: str) -> object:
    """An object in JSON, in a tenth of the time; None for all that YAML must judge or explain."""
    if not text.lstrip().startswith("{") or "\\u" in text:
        return None

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError
        return found

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=lambda _: 1 / 0)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def read_text(file: str) -> str:
    """The text of a file, or of standard input for ``-``. Errors: ConfigError."""
    try:
        if file == "-":
            octets = sys.stdin.buffer.read(FILE_MAX_OCTETS + 1)
        else:
            with Path(file).open("rb") as source:
                octets = source.read(FILE_MAX_OCTETS + 1)
        return octets.decode()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"{file} cannot be read: {why}.") from None


def _placed(config: Config, geo_db: Path | None) -> tuple[Config, list[Reason]]:
    """Nodes without location get it from their address, as the server would do it."""
    from geodns.api.edit import place_all
    from geodns.cli.geo import local_geo
    from geodns.model.config import Config

    return place_all(config, Config(), local_geo(geo_db))


def _prune(prune: bool) -> dict[str, str]:
    return {"prune": "true"} if prune else {}


def _view(reason: Reason) -> dict[str, Any]:
    return {
        "pointer": reason.pointer,
        "code": reason.code,
        "detail": reason.detail,
        "hint": reason.hint,
    }
