"""Completion: what could come next, asked of the server where that is cheap.

The shell runs geodns itself at each press of the key, so what takes long or fails offers nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import suppress
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodns.cli import ASKED
from geodns.cli.names import CHOICES, FIELDS, FILTERS, MAPPINGS, REFERENCES, STATES, TYPES
from geodns.cli.output import write

if TYPE_CHECKING:
    from geodns.net import Client

PATIENCE_S = 1.0
"""Source: no reference; who presses a key and sees nothing for longer types on."""

OFFERED_MAX = 1000
"""Source: the most that the API gives on one page."""

ZONES_MAX = 5
"""Zones whose names are offered together. Source: no reference; one request for each."""

SAFE = re.compile(r"[A-Za-z0-9_@*./=,+-]+")
"""What no shell takes for anything but text: some of them evaluate what is offered."""


class Shell(StrEnum):
    """A shell that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


# Bash cuts words at "=", and adds a space: node=fr is three words, and addresses= wants its value.
BASH = """\
_geodns_completion() {
    local IFS=$'\\n' word="${COMP_LINE:0:COMP_POINT}"
    word="${word##* }"
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
                   _GEODNS_JOIN=1 _GEODNS_COMPLETE=complete_bash "$1" ) )
    [[ ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace
    [[ $word == *=* ]] && COMPREPLY=( "${COMPREPLY[@]#"${word%"${word##*=}"}"}" )
    return 0
}
complete -o default -F _geodns_completion geodns
"""


# Source: typer's own scripts for these two, which it has under private names.
ZSH = """\
#compdef geodns
_geodns_completion() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _GEODNS_COMPLETE=complete_zsh geodns)
}
compdef _geodns_completion geodns
"""
_FISH = (
    "env _GEODNS_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION={} "
    "_TYPER_COMPLETE_ARGS=(commandline -cp) geodns"
)
FISH = (
    f'complete --command geodns --no-files --arguments "({_FISH.format("get-args")})" '
    f'--condition "{_FISH.format("is-args")}"\n'
)
SCRIPTS = {Shell.BASH: BASH, Shell.ZSH: ZSH, Shell.FISH: FISH}


def completion(
    shell: Annotated[
        Shell | None,
        typer.Argument(metavar="bash|zsh|fish", help="Default: as SHELL says.", show_default=False),
    ] = None,
) -> None:
    """Print a shell's completion; in bash: source <(geodns completion bash)."""
    own = os.path.basename(os.environ.get("SHELL", ""))
    write(SCRIPTS[shell or (Shell(own) if own in set(Shell) else Shell.BASH)])


def asked(environ: MutableMapping[str, str]) -> str | None:
    """The command whose words are completed, if it stands already; joins what bash has cut."""
    if environ.get(ASKED) != "complete_bash":
        words = environ.get("_TYPER_COMPLETE_ARGS", "").split()
        return words[1] if len(words) > 2 else None
    words, position = environ.get("COMP_WORDS", "").split("\n"), environ.get("COMP_CWORD", "")
    if not position.isdecimal() or not 1 < int(position) < len(words):
        return None
    if "_GEODNS_JOIN" in environ:
        found = joined(words[: int(position) + 1])
        environ["COMP_WORDS"], environ["COMP_CWORD"] = "\n".join(found), str(len(found) - 1)
    return words[1]


def joined(words: Iterable[str]) -> list[str]:
    """Words as they were before they were cut at "="."""
    found: list[str] = []
    follows = False
    for word in words:
        if (word == "=" and found) or follows:
            found[-1] += word
        else:
            found.append(word)
        follows = word == "="
    return found


# --- What could come next: functions of what typer knows of the command so far ---


def ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of the noun whose command this is."""
    word = ctx.parent.info_name if ctx.parent else ""
    return offered(_ids(ctx, word if word == "latency" else f"{word}s"), incomplete)


def zones(ctx: typer.Context, incomplete: str) -> list[str]:
    """Zones."""
    return offered(_ids(ctx, "zones"), incomplete)


def pools(ctx: typer.Context, incomplete: str) -> list[str]:
    """Pools."""
    return offered(_ids(ctx, "pools"), incomplete)


def owners(ctx: typer.Context, incomplete: str) -> list[str]:
    """Owners of RRsets in the zone that is named before."""
    found = _ids(ctx, "zones", ctx.params.get("zone") or "-", "rrsets")
    return offered((each.rpartition("/")[0] for each in found), incomplete)


def rtypes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Types of records."""
    return offered(TYPES, incomplete.upper())


def names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names that are answered: of zones, of steers, of RRsets."""
    return offered(_names(ctx), incomplete)


def selectors(ctx: typer.Context, incomplete: str) -> list[str]:
    """``node=`` and ``site=`` with whom there is."""
    if incomplete.startswith("site="):
        found = (item.get("labels", {}).get("site") for item in _items(ctx, "nodes"))
        return offered((f"site={site}" for site in found if site), incomplete)
    if incomplete.startswith("node="):
        return offered((f"node={each}" for each in _ids(ctx, "nodes")), incomplete)
    return offered(("node=", "site="), incomplete)


def fields(ctx: typer.Context, incomplete: str) -> list[str]:
    """Fields of the noun, and values of those that are one of few or name another thing."""
    word = ctx.parent.info_name if ctx.parent else ""
    field, separate, value = incomplete.partition("=")
    if not separate:
        known = FIELDS.get(word or "", ())
        return offered((f"{each}{'.' if each in MAPPINGS else '='}" for each in known), incomplete)
    at = (word or "", field)
    first, comma, _ = value.rpartition(",")  # a list goes on after its last comma
    before = f"{field}={first}{comma}"
    there = CHOICES.get(at) or (_ids(ctx, REFERENCES[at]) if at in REFERENCES else ())
    return offered((f"{before}{each}" for each in there), incomplete)


def filters(ctx: typer.Context, incomplete: str) -> list[str]:
    """What the noun's list can be filtered by, and states."""
    word = ctx.parent.info_name if ctx.parent else ""
    if incomplete.startswith("state="):
        return offered((f"state={state}" for state in STATES), incomplete)
    return offered((f"{each}=" for each in ("prefix", *FILTERS.get(word or "", ()))), incomplete)


def resources(ctx: typer.Context, incomplete: str) -> list[str]:
    """A kind, then an id of it."""
    words = list(ctx.params.get("resource") or ())
    if not words:
        return offered((*FIELDS, "latency", "steer", "rrset"), incomplete)
    if words[0] not in ("steer", "rrset"):
        section = words[0] if words[0] == "latency" else f"{words[0]}s"
        return offered(_ids(ctx, section), incomplete) if len(words) == 1 else []
    if len(words) == 1:
        return zones(ctx, incomplete)
    below = [each.split("/") for each in _ids(ctx, "zones", words[1], f"{words[0]}s")]
    own = words[2:]
    fitting = (each for each in below if each[: len(own)] == own and len(each) > len(own))
    return offered((each[len(own)] for each in fitting), incomplete)


def offered(words: Iterable[str], incomplete: str) -> list[str]:
    """Those that go on from what stands there, without what a shell could take amiss."""
    with suppress(Exception):  # whatever it was, the shell is no place to tell
        found = dict.fromkeys(each for each in words if each.startswith(incomplete))
        return [each for each in found if SAFE.fullmatch(each)]
    return []


def _names(ctx: typer.Context) -> Iterator[str]:
    for zone in list(_ids(ctx, "zones"))[:ZONES_MAX]:
        yield zone
        for section in ("steers", "rrsets"):
            for found in _ids(ctx, "zones", zone, section):
                owner = found.partition("/")[0]
                yield zone if owner == "@" else f"{owner}.{zone}"


def _ids(ctx: typer.Context, *collection: str) -> Iterator[str]:
    return (item["id"] for item in _items(ctx, *collection))


def _items(ctx: typer.Context, *collection: str) -> Iterator[dict[str, Any]]:
    from geodns.cli.resources import items, path_of

    yield from islice(items(_client(ctx), path_of(*collection)), OFFERED_MAX)


def _client(ctx: typer.Context) -> Client:
    from geodns.cli.connection import connect

    kept = ctx.find_root().obj
    if kept is None:
        directory = ctx.params.get("data_dir")
        kept = connect(Path(directory) if directory else None, None, PATIENCE_S)
        ctx.find_root().obj = kept
        ctx.call_on_close(kept.close)
    found: Client = kept
    return found
