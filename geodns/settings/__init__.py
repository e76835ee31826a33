"""The settings of the server: one table, from which flags, environment, file and docs follow."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from geodns.errors import ConfigError, Reason
from geodns.settings.logs import FORMATS
from geodns.settings.values import (
    Endpoint,
    Network,
    endpoint,
    location,
    network,
    one_of,
    path,
    short,
    whole,
)

ENVIRONMENT_PREFIX = "GEODNS_SERVER_"

FILE_MAX_OCTETS = 2**16
"""Source: no reference; the longest sensible file, thousands of subnets, is below."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``geodns serve`` runs by. TABLE says what each means; None and () mean none."""

    data_dir: Path
    runtime_dir: Path | None
    dns: tuple[Endpoint, ...]
    api: Endpoint
    api_tls_cert: Path | None
    api_tls_key: Path | None
    api_tls_client_ca: Path | None
    api_connections: int
    api_connections_per_source: int
    api_requests_per_s: int
    engine: str
    workers: int
    geo_db: Path | None
    asn_db: Path | None
    default_location: tuple[float, float] | None
    trusted_resolvers: tuple[Network, ...]
    debug_sources: tuple[Network, ...]
    nsid: str
    cookie_secret_file: Path | None
    status_slots: int
    view_budget_mb: int
    scripts_dir: Path | None
    log_level: str
    log_format: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the table.

    Shape: ``default`` is text as a person would write it, or finds that text; ``shown`` says a
           found default in words. ``read`` turns text into the value or raises ValueError with
           the bound. With ``many`` it reads each of several. ``secret`` marks a file whose
           content is nobody else's business: what is given for it is never shown or logged, for
           it may be the secret itself, and the server warns if others can read the file.
    """

    name: str
    metavar: str
    default: str | Callable[[Mapping[str, str]], str]
    help: str
    read: Callable[[str], Any]
    many: bool = False
    optional: bool = False
    shown: str = ""
    secret: bool = False

    @property
    def flag(self) -> str:
        """The option of ``geodns serve``."""
        return _flag(self.name)

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENVIRONMENT_PREFIX + self.name.upper()

    @property
    def default_shown(self) -> str:
        """The default in words; empty if there is none."""
        return self.shown or str(self.default)

    def value(self, text: str) -> Any:
        """The value that the text means.

        Errors: ValueError with the bound, to follow the name and the value.
        """
        words = re.split(r"[,\s]+", text.strip(" \t\n,")) if self.many else [text.strip()]
        if words == [""]:
            if not self.optional:
                raise ValueError("must not be empty")
            return () if self.many else None
        if not self.many:
            return self.read(words[0])
        return tuple(dict.fromkeys(self.read(word) for word in words))


def load(flags: Mapping[str, object], environ: Mapping[str, str], config: Path | None) -> Settings:
    """The settings: flags before environment before the settings file before the defaults.

    Shape:  a flag that is None or an empty list was not given.
    Errors: ConfigError with every fault, each with the setting, its source, value and bound.
    """
    given, faults = _file(config) if config else ([], [])
    given += [
        _Given(name.removeprefix(ENVIRONMENT_PREFIX).lower(), text, f"from {name}")
        for name, text in environ.items()
        if name.startswith(ENVIRONMENT_PREFIX)
    ]
    given += [
        _Given(name, _text(value), f"from {_flag(name)}")
        for name, value in flags.items()
        if value is not None and value not in ((), [])
    ]
    known = {setting.name for setting in TABLE}
    faults += [_unknown(one) for one in given if one.name not in known]
    winners = {one.name: one for one in given}
    values = {}
    for setting in TABLE:
        try:
            one = winners.get(setting.name) or _default(setting, environ)
            values[setting.name] = setting.value(one.text)
        except ValueError as bound:
            faults.append(_fault(one, str(bound)))
    faults += _lacking(values)
    if faults:
        raise ConfigError(faults)
    return Settings(**{**values, "nsid": values["nsid"] or ""})


def default_data_dir(environ: Mapping[str, str]) -> str:
    """Where the data directory is if nothing says so.

    Source: Filesystem Hierarchy Standard 3.0 §5.8; XDG Base Directory Specification 0.8.
    """
    if os.geteuid() == 0:
        return "/var/lib/geodns"
    state = environ.get("XDG_STATE_HOME", "")
    if not state.startswith("/"):  # "All paths must be absolute; if not, ignore it."
        state = environ.get("HOME", os.path.expanduser("~")) + "/.local/state"
    return state + "/geodns"


def markdown() -> str:
    """The table for the documentation."""
    rows = [("Setting", "Flag and variable", "Default", "Meaning"), ("---",) * 4]
    for setting in TABLE:
        ways = f"`{setting.flag} {setting.metavar}`{' …' * setting.many}<br>`{setting.variable}`"
        default = setting.default_shown
        shown = default if setting.shown else f"`{default}`" if default else ""
        meaning = setting.help + " *Secret.*" * setting.secret
        rows.append((f"`{setting.name}`", ways, shown, meaning))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


# --- Where a text comes from ---


class _Given(NamedTuple):
    name: str
    text: str
    source: str


def _file(path: Path) -> tuple[list[_Given], list[Reason]]:
    """What the settings file says. Scalars are taken as written: ``nsid: no`` is "no"."""
    import yaml  # Here, for the start of a server without a file is faster without.

    try:
        with path.open("rb") as file:
            octets = file.read(FILE_MAX_OCTETS + 1)
        if len(octets) > FILE_MAX_OCTETS:
            return _bad_file(path, f"has more than {FILE_MAX_OCTETS} octets")
        root = yaml.compose(octets.decode(), Loader=yaml.SafeLoader)
    except (OSError, ValueError) as error:
        return _bad_file(path, f"cannot be read: {getattr(error, 'strerror', '') or error}")
    except (yaml.YAMLError, RecursionError) as error:
        return _bad_file(path, f"is not YAML: {' '.join(str(error).split())}")
    if root is None:
        return [], []
    if not isinstance(root, yaml.MappingNode):
        return _bad_file(path, "must be a mapping of settings to values")
    found = [_entry(path, key, value) for key, value in root.value]
    first = {one.name: one for one in reversed(found)}
    twice = [_fault(one, "is set twice") for one in found if first[one.name] is not one]
    return found, twice


def _entry(path: Path, key: Any, value: Any) -> _Given:
    parts = value.value if value.id == "sequence" else [value]
    # What is neither text nor a list of texts becomes a text that no setting takes.
    texts = [part.value if isinstance(part.value, str) else "{\0}" for part in parts]
    nothing = value.tag == "tag:yaml.org,2002:null"
    source = f"from {path} line {key.start_mark.line + 1}"
    name = key.value if isinstance(key.value, str) else "?"
    return _Given(name, "" if nothing else ",".join(texts), source)


def _bad_file(path: Path, what: str) -> tuple[list[_Given], list[Reason]]:
    return [], [Reason("", "bad_file", f"Settings file {path} {what}.", str(path))]


def _default(setting: Setting, environ: Mapping[str, str]) -> _Given:
    text = setting.default if isinstance(setting.default, str) else setting.default(environ)
    return _Given(setting.name, text, "by default")


def _text(value: object) -> str:
    several = isinstance(value, Iterable) and not isinstance(value, str)
    return ",".join(map(str, value)) if several else str(value)  # type: ignore[call-overload]


def _lacking(values: Mapping[str, Any]) -> list[Reason]:
    """Faults of settings that mean nothing without another."""
    return [
        Reason(f"/{name}", "needs_another", f"{_flag(name)} needs {_flag('api_tls_cert')}.")
        for name in ("api_tls_key", "api_tls_client_ca")
        if values.get(name) and not values.get("api_tls_cert")
    ]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _fault(one: _Given, bound: str) -> Reason:
    shown = one.text if len(one.text) <= 80 else f"{one.text[:77]}..."
    if one.name in {setting.name for setting in TABLE if setting.secret}:
        shown = "(not shown)"
    detail = f'"{shown}" ({one.source}) {bound}.'.replace("\0", "").replace("?.", "?")
    return Reason(f"/{one.name}", "out_of_range", detail, shown)


def _unknown(one: _Given) -> Reason:
    import difflib

    near = difflib.get_close_matches(one.name[:40], [setting.name for setting in TABLE], n=1)
    hint = f"Did you mean {near[0]}?" if near else "geodns serve --help lists them."
    return Reason(f"/{one.name}", "unknown_setting", f"No such setting ({one.source}).", hint=hint)


# fmt: off
TABLE = (
    Setting("data_dir", "DIR", default_data_dir, "What must survive: store, snapshots, token.",
            path, shown="`/var/lib/geodns` for root, else `~/.local/state/geodns`"),
    Setting("runtime_dir", "DIR", "", "What need not: status table, heartbeats; best in memory.",
            path, optional=True, shown="chosen in memory"),
    Setting("dns", "ADDR:PORT", "[::]:53", "Where DNS is served, UDP and TCP; may be repeated.",
            endpoint, many=True),
    Setting("api", "ADDR:PORT", "127.0.0.1:8053", "Where the admin API is served.", endpoint),
    Setting("api_tls_cert", "FILE", "",
            "Certificate of the API, PEM, with its chain; read anew when it changes.",
            path, optional=True, shown="none: plain HTTP"),
    Setting("api_tls_key", "FILE", "", "Its key, PEM, without a password.",
            path, optional=True, shown="in the certificate's file", secret=True),
    Setting("api_tls_client_ca", "FILE", "",
            "Whose certificates clients must have to connect; they need a token all the same.",
            path, optional=True, shown="clients need no certificate"),
    # Source: measured, some 8 kB each, 40 if they do their worst.
    Setting("api_connections", "N", "4096", "Most connections to the API at once, 16 to 65536.",
            whole(16, 65536)),
    Setting("api_connections_per_source", "N", "2048",
            "Of them, most from one address or IPv6 /64, 1 to 65536.", whole(1, 65536)),
    # Source: no reference; more than a process answers, less than it takes to read and refuse.
    Setting("api_requests_per_s", "N", "1000",
            "Most requests a second from one address or IPv6 /64; 0 is any number.",
            whole(0, 10**6)),
    Setting("engine", "NAME", "auto",
            "Who answers: auto (native where it was built), native or python.",
            one_of("auto", "native", "python")),
    # Source: no reference; more workers than 64 cores have nothing to run on.
    Setting("workers", "N", "1", "Processes that answer DNS, one for each core to use; 1 to 64.",
            whole(1, 64)),
    Setting("geo_db", "FILE", "", "Geo database, any of GeoIP2-City form.", path,
            optional=True, shown="the bundled one"),
    Setting("asn_db", "FILE", "", "Database of autonomous systems, such as GeoLite2-ASN.", path,
            optional=True, shown="none"),
    Setting("default_location", "LAT,LON", "", "Where users of unknown place are taken to be.",
            location, optional=True, shown="none"),
    Setting("trusted_resolvers", "SUBNETS", "0.0.0.0/0,::/0",
            "Whose client subnets (ECS) are believed; may be repeated.",
            network, many=True, optional=True),
    Setting("debug_sources", "SUBNETS", "127.0.0.0/8,::1/128",
            "Who may ask debug names; may be repeated.", network, many=True, optional=True),
    Setting("nsid", "TEXT", lambda _: socket.gethostname(),
            "The name this server gives itself; empty for none.",
            short, optional=True, shown="the host's name"),
    # A file, for what stands in flags and variables is seen by others on the machine.
    Setting("cookie_secret_file", "FILE", "",
            "Cookie secrets, 32 hex digits a line; the first signs, all verify.",
            path, optional=True, shown="a random one at each start", secret=True),
    # Source: no reference; 32768 words and notes are 4.5 MB, 10,000 dual-stack nodes fit.
    Setting("status_slots", "N", "32768", "Most addresses under watch, 64 to 1048576.",
            whole(64, 2**20)),
    # Source: no reference; a City database's view takes a few MB.
    Setting("view_budget_mb", "MB", "64", "Memory for steering tables, 1 to 65536.",
            whole(1, 65536)),
    Setting("scripts_dir", "DIR", "",
            "Programs that script monitors may run; without it none.",
            path, optional=True, shown="scripts are off"),
    Setting("log_level", "LEVEL", "info", "How much is logged: debug, info, warning or error.",
            one_of("debug", "info", "warning", "error")),
    Setting("log_format", "FORMAT", "text", "How it is logged: text or json, a line an event.",
            one_of(*FORMATS)),
)
