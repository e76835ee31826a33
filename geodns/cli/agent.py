"""``agent``: runs on an edge node, brings it in, and shows that it lives."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from geodns.cli.resources import path_of
from geodns.errors import ConfigError, GeodnsError, NotFound, Reason, Unavailable

if TYPE_CHECKING:
    from geodns.net import Client

BEATS_PER_LEASE = 3
"""Signs of life within a lease. Source: Consul's advice of a third of the TTL: one may be lost."""

LOAD_TIMEOUT_S = 2.0
"""How long a command may take to tell the load. Source: no reference; less than a beat."""

log = logging.getLogger("geodns.agent")


@dataclass(frozen=True, slots=True)
class Errand:
    """What an agent is to do. ``body`` is its node, ``load`` how to learn how busy it is."""

    server: str
    token_file: Path
    secret_file: Path
    node_id: str
    body: dict[str, Any]
    lease_s: int
    load: str | None


def agent(
    server: Annotated[str, typer.Option("--server", metavar="URL", help="The API.")],
    token_file: Annotated[
        Path, typer.Option("--token-file", metavar="FILE", help="A token with role agent.")
    ],
    node_id: Annotated[str, typer.Option("--id", metavar="ID", help="The node's id.")],
    address: Annotated[
        list[str] | None,
        typer.Option("--address", metavar="ADDR|detect", help="Where users reach it; may be "
                     "repeated. Default: detect.", show_default=False),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="K=V", help="May be repeated.", show_default=False),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="PLACE", help="Where it stands: an IATA code or a city. "
                     "Default: found from its address.", show_default=False),
    ] = None,
    location: Annotated[
        str | None,
        typer.Option("--location", metavar="LAT,LON", help="The same by degrees.",
                     show_default=False),
    ] = None,
    load: Annotated[
        str | None,
        typer.Option("--load", metavar="HOW", help="auto: the load average per processor.",
                     show_default=False),
    ] = None,
    load_command: Annotated[
        str | None,
        typer.Option("--load-command", metavar="COMMAND", help="Prints the load; 1 is busy.",
                     show_default=False),
    ] = None,
    lease: Annotated[
        str, typer.Option("--lease", metavar="TIME", help="Down after so long without it.")
    ] = "30s",
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", metavar="FILE", help="Where the node's own secret is kept. "
                     "Default: ID.secret beside the token.", show_default=False),
    ] = None,
) -> int:  # fmt: skip
    """Register this machine as a node, and show that it lives until told to end."""
    from geodns.cli.drains import seconds
    from geodns.settings.values import location as read_location

    if load not in (None, "auto") or (load and load_command):
        raise ConfigError("--load is auto, or there is a --load-command.")
    lease_s = seconds(lease)
    body: dict[str, Any] = {
        "addresses": _addresses(address or ["detect"], server),
        "lease_s": lease_s,
        "labels": dict(_label(each) for each in label or ()),
    }
    if at and location:
        raise ConfigError("--at and --location both say where the node stands; give one.")
    if at:
        body["at"] = at
    if location:
        try:
            latitude, longitude = read_location(location)
        except ValueError as bound:
            raise ConfigError(f"--location {bound}.") from None
        body["location"] = {"lat": latitude, "lon": longitude}
    kept = secret_file or token_file.parent / f"{node_id}.secret"
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=20)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    command = load_command or load
    return serve(Errand(server, token_file, kept, node_id, body, lease_s, command), ended)


def serve(errand: Errand, ended: threading.Event) -> int:
    """Register and beat until told to end; whatever goes wrong on the way is tried again.

    Errors: ConfigError and the like, if the server refuses this node from the start.
    """
    registered = False
    while not ended.is_set():
        try:
            if not registered:
                _register(errand)
                registered = True
                log.info("node %s is registered at %s", errand.node_id, errand.server)
            _beat(errand)
        except Unavailable as error:
            log.warning("%s; tried again", error)
        except NotFound:
            registered = False  # somebody has removed the node
            continue_s = 1.0
            ended.wait(continue_s)
            continue
        ended.wait(errand.lease_s / BEATS_PER_LEASE)
    return 0


def _register(errand: Errand) -> None:
    """By the node's own secret if there is one, else by the shared token, which brings it."""
    own = _secret(errand.secret_file)
    if own is not None:
        try:
            with _client(errand, own) as client:
                _put(client, errand)
            return
        except (Unavailable, NotFound):
            raise
        except GeodnsError as error:
            if not any(reason.code == "unauthorized" for reason in error.reasons):
                raise
            log.warning("the node's own secret is not known any more: registering anew")
    shared = _secret(errand.token_file)
    if shared is None:
        raise ConfigError(f"{errand.token_file} holds no token.")
    with _kept(errand.secret_file) as keep, _client(errand, shared) as client:
        keep.write(client.request("PUT", _path(errand), errand.body).body["secret"])


def _put(client: Client, errand: Errand) -> None:
    """Change what is ours alone: an operator may have set the weight."""
    try:
        client.request("PATCH", _path(errand), errand.body)
    except NotFound:
        client.request("PUT", _path(errand), errand.body)


def _beat(errand: Errand) -> None:
    own = _secret(errand.secret_file)
    if own is None:
        raise NotFound(f"{errand.secret_file} is gone.")
    body = {"load": _load(errand.load)} if errand.load else {}
    with _client(errand, own) as client:
        client.request("PUT", f"{_path(errand)}/heartbeat", body)


def _client(errand: Errand, token: str) -> Client:
    from geodns.net import Client

    patience_s = max(1.0, errand.lease_s / BEATS_PER_LEASE)
    return Client(errand.server, token, answer_timeout_s=patience_s)


def _path(errand: Errand) -> str:
    return path_of("nodes", errand.node_id)


def _load(command: str | None) -> float | None:
    """How busy this machine is; None if that cannot be told now."""
    from geodns.model.node import LOAD_MAX

    try:
        if command == "auto":
            return round(os.getloadavg()[0] / (os.cpu_count() or 1), 3)
        done = subprocess.run(
            shlex.split(command or ""),
            capture_output=True,
            text=True,
            timeout=LOAD_TIMEOUT_S,
            check=True,
        )
        found = float(done.stdout.split()[0])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        log.warning("the load cannot be told: %s", error)
        return None
    return min(found, LOAD_MAX) if found >= 0 else None  # NaN is not


def _addresses(given: list[str], server: str) -> list[str]:
    return [_detected(server) if each == "detect" else each for each in given]


def _detected(server: str) -> str:
    """The address by which this machine reaches the server."""
    url = urlsplit(server)
    try:
        found = socket.getaddrinfo(url.hostname, url.port or 443, type=socket.SOCK_DGRAM)[0]
        with socket.socket(found[0], socket.SOCK_DGRAM) as probe:
            probe.connect(found[4])  # sends nothing
            return str(probe.getsockname()[0])
    except (OSError, ValueError) as error:
        raise Unavailable(f"The way to {server} cannot be told: {error}; give --address.") from None


def _label(text: str) -> tuple[str, str]:
    name, separate, value = text.partition("=")
    if not separate:
        raise ConfigError(f'"{text[:80]}" is no label; write it like tier=edge.')
    return name, value


def _secret(path: Path) -> str | None:
    try:
        return path.read_text("ascii").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError([Reason("", "unreadable", f"{path} cannot be read: {error}.")]) from None


def _kept(path: Path) -> Any:
    """The file of the secret, opened before there is one: else it could be lost."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        return os.fdopen(descriptor, "w", encoding="ascii")
    except OSError as error:
        detail = f"{path} cannot be written: {error.strerror}; give --secret-file."
        raise ConfigError([Reason("", "unwritable", detail)]) from None
