"""What a worker process does from its fork to its end."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import NoReturn

from geodns.daemon.places import Places
from geodns.daemon.sections import HeldSections
from geodns.engine.debug import DebugNames
from geodns.engine.page import WorkerPage
from geodns.engine.sockets import Listener
from geodns.engine.worker import Worker
from geodns.settings import Network, Settings
from geodns.snapshot.manifest import Manifest
from geodns.snapshot.status import StatusTable

RESOLVERS_MAX = 10_000
"""Resolvers whose trust is remembered. Source: no reference; some 200 octets each."""

log = logging.getLogger("geodns.engine")


def run_worker(
    number: int,
    listeners: Sequence[Listener],
    link: socket.socket,
    settings: Settings,
    places: Places,
    held: HeldSections,
    manifest: Manifest | None,
) -> NoReturn:
    """Serve in this just forked process; it never returns to the supervisor's code."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        worker = Worker(
            listeners,
            link,
            StatusTable(places.status),
            WorkerPage(places.worker_page(number), create=True),
            dict(held.maps),
            nsid=settings.nsid.encode(),
            debug=DebugNames(settings.debug_sources, settings.nsid),
            trusts=trust(settings.trusted_resolvers),
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
