"""What a worker process does from its fork to its end."""

from __future__ import annotations

import gc
import logging
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from geodns.daemon.places import Places
from geodns.daemon.sections import HeldSections
from geodns.engine.cookies import SECRET_OCTETS, CookieJar
from geodns.engine.counts import counts_file
from geodns.engine.debug import DebugNames
from geodns.engine.page import WorkerPage
from geodns.engine.responder import Surroundings
from geodns.engine.sockets import Listener
from geodns.engine.tally import Tally
from geodns.engine.tcp import IDLE_S
from geodns.engine.worker import Worker
from geodns.errors import ConfigError, Unavailable
from geodns.settings import Settings, logs
from geodns.settings.values import Network
from geodns.snapshot.manifest import Manifest
from geodns.snapshot.status import StatusTable

if TYPE_CHECKING:
    from geodns._native import Around

SECRETS_MAX = 4
"""Source: no reference; RFC 9018 section 5 needs two during a roll-over."""

RESOLVERS_MAX = 10_000
"""Resolvers whose trust is remembered. Source: no reference; some 200 octets each."""

log = logging.getLogger("geodns.engine")


def run_worker(
    number: int,
    listeners: Sequence[Listener],
    link: socket.socket,
    places: Places,
    held: HeldSections,
    manifest: Manifest | None,
    around: Surroundings,
) -> NoReturn:
    """Serve in this just forked process; it never returns to the supervisor's code."""
    code = 1
    try:
        logs.rename(f"worker-{number}")
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
        worker = Worker(
            listeners,
            link,
            StatusTable(places.status),
            WorkerPage(places.worker_page(number), create=True),
            dict(held.maps),
            around,
            _tally(places, number),
        )
        held.maps = {}
        if manifest is not None:
            worker.load(manifest)
        gc.freeze()
        worker.run()
        code = 0
    except BaseException:
        log.exception("worker %d failed", number)
    finally:
        os._exit(code)


def _tally(places: Places, number: int) -> Tally | None:
    """The worker's counters; without room for them DNS is answered uncounted."""
    try:
        return Tally(counts_file(places.worker_page(number)), StatusTable(places.status).slots)
    except Unavailable as error:
        log.warning("worker %d serves without counting what queries are about: %s", number, error)
        return None


def surroundings(settings: Settings) -> Surroundings:
    """What all workers of a server have in common; made once, before the first fork."""
    file = settings.cookie_secret_file
    secrets = read_secrets(file) if file else [os.urandom(SECRET_OCTETS)]
    return Surroundings(
        nsid=settings.nsid.encode(),
        jar=CookieJar(secrets, time.time),
        debug=DebugNames(settings.debug_sources, settings.nsid),
        trusts=trust(settings.trusted_resolvers),
        keepalive=int(IDLE_S * 10),
        native=_native_around(settings, secrets) if settings.engine == "native" else None,
    )


def _native_around(settings: Settings, secrets: Sequence[bytes]) -> Around:
    from geodns._native import Around

    def prefixes(networks: Sequence[Network]) -> list[tuple[IPv4Address | IPv6Address, int]]:
        return [(network.network_address, network.prefixlen) for network in networks]

    return Around(
        nsid=settings.nsid.encode(),
        cookie_secrets=secrets,
        debug_sources=prefixes(settings.debug_sources),
        identity=bool(settings.nsid),
        trusted=prefixes(settings.trusted_resolvers) if trust(settings.trusted_resolvers) else None,
    )


def read_secrets(path: Path) -> list[bytes]:
    """The cookie secrets of a file: shared by the servers of one anycast address.

    Errors: ConfigError that names the line, never what stands in it.
    """
    try:
        lines = path.read_text("ascii").split()
    except (OSError, ValueError) as error:
        raise ConfigError(f"Cookie secrets {path} cannot be read: {error}.") from None
    secrets = []
    for number, text in enumerate(lines, 1):
        if not re.fullmatch(r"[0-9A-Fa-f]{32}", text):
            raise ConfigError(f"Cookie secret {number} of {path} is not 32 hex digits.")
        secrets.append(bytes.fromhex(text))
    if not 1 <= len(secrets) <= SECRETS_MAX:
        raise ConfigError(f"{path} has {len(secrets)} cookie secrets; 1 to {SECRETS_MAX} work.")
    return secrets


def trust(networks: Sequence[Network]) -> Callable[[str], bool] | None:
    """Whether a resolver's client subnets count; None if everybody's do."""
    if {str(network) for network in networks} >= {"0.0.0.0/0", "::/0"}:
        return None

    @lru_cache(RESOLVERS_MAX)
    def trusts(resolver: str) -> bool:
        address = ip_address(resolver.partition("%")[0])
        mapped = address.ipv4_mapped if address.version == 6 else None
        return any((mapped or address) in network for network in networks)

    return trusts
