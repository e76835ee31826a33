"""Listening sockets: bound once by the supervisor, inherited by the workers."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from geodns.errors import ConfigError, Reason

RECEIVE_BUFFER = 4 * 2**20
"""Octets of queue per UDP socket. Source: no reference; some 8,000 queries, which a restarted
worker finds and answers."""

TCP_BACKLOG = 1024

IPV6_RECVPKTINFO, IP_PKTINFO, IP_FREEBIND = 49, 8, 15
"""Linux numbers that the socket module does not name on every build (ip(7), ipv6(7))."""


@dataclass(frozen=True, slots=True)
class Listener:
    """The sockets of one worker on one address.

    Shape: ``wildcard`` means replies must say which address was asked.
    """

    udp: socket.socket
    tcp: socket.socket
    wildcard: bool


def bind(host: str, port: int, workers: int) -> list[Listener]:
    """A UDP and a TCP socket for each worker, sharing one address and port.

    Errors: ConfigError that says what to do, when the port is taken or not permitted.
    """
    listeners = []
    for _ in range(workers):
        udp = _bound(host, port, socket.SOCK_DGRAM)
        if port == 0:  # any free port, the same for all that follow
            port = udp.getsockname()[1]
        tcp = _bound(host, port, socket.SOCK_STREAM)
        tcp.listen(TCP_BACKLOG)
        listeners.append(Listener(udp, tcp, ip_address(host).is_unspecified))
    return listeners


def check_free(host: str, port: int) -> None:
    """See that nobody else listens there. Errors: as `bind`.

    Sharing a port among workers would also let a second server of the same user in, and the
    kernel would then divide the queries between both.
    """
    if port:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            _bound(host, port, kind, shared=False).close()


def bind_tcp(host: str, port: int) -> socket.socket:
    """A listening TCP socket for one process. Errors: as `bind`."""
    sock = _bound(host, port, socket.SOCK_STREAM, shared=False)
    sock.listen(TCP_BACKLOG)
    return sock


def is_local(host: str) -> bool:
    """Whether this machine has the address now: we bind without (`_prepare_address`)."""
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


def _bound(host: str, port: int, kind: socket.SocketKind, *, shared: bool = True) -> socket.socket:
    version = ip_address(host).version
    sock = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, kind)
    try:
        sock.setblocking(False)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Inherited by connections: a reply does not wait until the one before is acknowledged.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _prepare_address(sock, host, version, kind)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise ConfigError([_bind_fault(host, port, kind, error)]) from None
    return sock


def _prepare_address(sock: socket.socket, host: str, version: int, kind: socket.SocketKind) -> None:
    # An anycast address may be configured later than we start (ip(7)).
    sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    if version == 6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
    if kind == socket.SOCK_DGRAM:
        _set_receive_buffer(sock)
        if ip_address(host).is_unspecified:
            sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            if version == 6:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)


def _set_receive_buffer(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def _bind_fault(host: str, port: int, kind: socket.SocketKind, error: OSError) -> Reason:
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    transport = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
    if error.errno == errno.EADDRINUSE:
        hint = f"Stop what listens there (ss -lnp 'sport = :{port}') or choose another port."
        return Reason("", "port_in_use", f"{transport} {shown} is in use.", shown, hint)
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = "Run with CAP_NET_BIND_SERVICE or choose a port from 1024 on."
        detail = f"{transport} {shown} is not permitted."
        return Reason("", "port_not_permitted", detail, shown, hint)
    detail = f"{transport} {shown} cannot be bound: {error.strerror}."
    return Reason("", "cannot_bind", detail, shown)
