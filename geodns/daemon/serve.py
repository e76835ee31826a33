"""`geodns serve`: prepare, bind, supervise."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import socket
import stat
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from geodns.daemon.places import ADMIN_TOKEN, Places, make_pages, prepare
from geodns.daemon.supervisor import Supervisor
from geodns.engine import sockets
from geodns.engine.native import is_built, reads_snapshots
from geodns.errors import ConfigError, Reason
from geodns.settings import TABLE, Settings, logs
from geodns.settings.values import Endpoint
from geodns.snapshot.manifest import read_manifest

FILES_WANTED = 65_536
"""Open files that supervisor and workers may have, each section of a generation being one (two
for each zone, twice while it is taken over). Source: the unit in deploy/; shells give 1,024."""

FILES_ENOUGH = 1_024
"""Fewer are worth a warning. Source: what Linux gives a process by default."""

PRIVATE = ("store.db*", "admin.token", "api.json", "verdicts", "drains", "id")

log = logging.getLogger("geodns")


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status.

    Errors: ConfigError and Unavailable for what keeps it from starting.
    """
    logs.set_up("supervisor", settings.log_level, settings.log_format)
    settings = replace(settings, engine=choose_engine(settings.engine))
    os.umask(0o077)  # whatever we and our children write is for us alone
    allow_files(FILES_WANTED)
    places, lock = prepare(settings)
    close_to_others(places.data)
    check_geo(settings, places)
    check_tls(settings, places)
    make_pages(places, settings)
    listeners = bind_all(settings)
    api_socket = bind_api(settings.api)
    bound = tuple(Endpoint(*each[0].udp.getsockname()[:2]) for each in listeners)
    log.info("geodns serves DNS on %s with the %s engine", _listed(bound), settings.engine)
    api = Endpoint(*api_socket.getsockname()[:2])
    log.info("the API is on %s, its token in %s", api, places.data / ADMIN_TOKEN)
    warn_of_the_api(settings, api)
    return Supervisor(replace(settings, dns=bound), places, listeners, api_socket, lock).run()


def allow_files(wanted: int) -> None:
    """Raise the limit of open files to so many, or as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < FILES_ENOUGH:
        log.warning(
            "only %d files may be open (%d are wanted): DNS over TCP and the API take few "
            "connections, many zones have no room; raise it with ulimit -n or LimitNOFILE=",
            most,
            wanted,
        )


def close_to_others(data: Path) -> None:
    """What earlier versions wrote for others to read is closed to them."""
    for path in (path for pattern in PRIVATE for path in data.glob(pattern)):
        with contextlib.suppress(OSError):
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)


def check_tls(settings: Settings, places: Places) -> None:
    """Errors: ConfigError when the API's certificate is no use and there is nothing else to serve.

    With a generation on disk a bad certificate must not keep answers away: control reports it.
    """
    if settings.api_tls_cert is None or read_manifest(places.data)[0] is not None:
        return
    from geodns.api.wire.tls import read_certificate

    read_certificate(settings.api_tls_cert, settings.api_tls_key, settings.api_tls_client_ca)


def warn_of_the_api(settings: Settings, api: Endpoint) -> None:
    """Say what is unwise about who can reach the API and read its secrets."""
    if not sockets.is_local(api.host):
        log.warning("the API's address %s is not on this machine yet", api.host)
    if settings.api_tls_cert is None and not ip_address(api.host).is_loopback:
        log.warning("the API is open to the network without TLS: tokens can be read on the way")
    for setting in TABLE:
        path = getattr(settings, setting.name)
        if setting.secret and path is not None and _is_open(path):
            log.warning("%s (%s) can be read by anybody here: chmod o-r", path, setting.name)


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def check_geo(settings: Settings, places: Places) -> None:
    """Errors: ConfigError when a database is no use and there is nothing else to serve.

    With a generation on disk a bad database must not keep answers away: control reports it.
    """
    if not (settings.geo_db or settings.asn_db) or read_manifest(places.data)[0] is not None:
        return
    from geodns.geo.asn_database import open_asns
    from geodns.geo.database import open_database

    if settings.geo_db:
        open_database(settings.geo_db).close()
    if settings.asn_db:
        open_asns(settings.asn_db)


def bind_all(settings: Settings) -> list[list[sockets.Listener]]:
    """The DNS sockets of every endpoint, with every fault at once."""
    listeners: list[list[sockets.Listener]] = []
    reasons: list[Reason] = []
    for endpoint in settings.dns:  # all of them first: two of ours may overlap
        try:
            sockets.check_free(endpoint.host, endpoint.port)
        except ConfigError as error:
            reasons += error.reasons
    for endpoint in settings.dns if not reasons else ():
        try:
            listeners.append(sockets.bind(endpoint.host, endpoint.port, settings.workers))
        except ConfigError as error:
            reasons += error.reasons
    if reasons:
        raise ConfigError(reasons)
    return listeners


def bind_api(endpoint: Endpoint) -> socket.socket:
    """The API's socket: bound here, so that a fault shows at once and restarts lose nothing."""
    return sockets.bind_tcp(endpoint.host, endpoint.port)


def choose_engine(wanted: str) -> str:
    """The engine that serves, native or python; ``auto`` is native where it was built.

    Errors: ConfigError when the native engine is asked for and was not built, or is of a version
    that cannot read our snapshots.
    """
    if wanted == "native" and not is_built():
        raise ConfigError(
            "The native engine is not built here; install with Rust, or use --engine auto."
        )
    if wanted == "native" and not reads_snapshots():
        raise ConfigError(
            "The native engine that is built here does not read snapshots of this version; "
            "build it anew, or use --engine auto."
        )
    served = wanted != "python" and is_built() and reads_snapshots()
    return "native" if served else "python"


def _listed(endpoints: tuple[Endpoint, ...]) -> str:
    return ", ".join(map(str, endpoints))
