"""A client that asks one question as a user's resolver would, and reads the reply for a person.

For the command line and for checks of a running server. It is dnspython's code all through, so
that it judges our messages by somebody else's reading of the RFCs.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from geodns.dns.message import UDP_PAYLOAD_OCTETS
from geodns.dns.names import excerpt, from_text
from geodns.errors import ConfigError, Reason, Unavailable


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said.

    Shape: records one a line as in a master file; ``scope`` is the scope prefix length of the
           reply's ECS option (RFC 7871 §6), None if there was no such option; ``text`` is the
           whole message as dnspython prints it.
    """

    rcode: str
    flags: tuple[str, ...]
    answers: tuple[str, ...]
    authority: tuple[str, ...]
    additional: tuple[str, ...]
    scope: int | None
    ede: tuple[str, ...]
    elapsed_ms: float
    text: str


def ask(
    name: str,
    rtype: str,
    server: tuple[str, int],
    subnet: str | None = None,
    timeout_s: float = 2.0,
    tcp: bool = False,
) -> Reply:
    """The server's reply to one question of class IN; by TCP too if UDP was truncated.

    Shape:  ``subnet`` is the client subnet to put into ECS, a bare address stands for itself.
    Units:  the timeout is for the whole exchange.
    Errors: ConfigError for a name, type, subnet or server that cannot be asked; Unavailable if no
            proper reply came in time.
    """
    query = _query(name, rtype, subnet)
    _check_server(server[0])
    started_s = time.monotonic()
    try:
        response = _exchange(query, server, timeout_s, tcp)
    except (OSError, EOFError, ValueError, dns.exception.DNSException) as error:
        raise _unavailable(error, server, timeout_s) from None
    return _reply(response, (time.monotonic() - started_s) * 1000)


def _query(name: str, rtype: str, subnet: str | None) -> dns.message.QueryMessage:
    options: list[dns.edns.Option] = [] if subnet is None else [_ecs(subnet)]
    return dns.message.make_query(
        dns.name.from_wire(from_text(name), 0)[0],
        _rdtype(rtype),
        use_edns=0,
        payload=UDP_PAYLOAD_OCTETS,
        options=options,
    )


def _exchange(
    query: dns.message.QueryMessage, server: tuple[str, int], timeout_s: float, tcp: bool
) -> dns.message.Message:
    expiry = time.time() + timeout_s  # dnspython's own clock for expiries
    if not tcp:
        try:
            return _by_udp(query, server, expiry)
        except dns.message.Truncated:  # RFC 7766 §5: ask again by TCP.
            timeout_s = max(expiry - time.time(), 0.0)
    return dns.query.tcp(query, server[0], timeout_s, server[1])


def _by_udp(
    query: dns.message.QueryMessage, server: tuple[str, int], expiry: float
) -> dns.message.Message:
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        # Connected, the kernel reports a closed port and drops what others send.
        sock.connect(server)
        dns.query.send_udp(sock, query, None, expiry)
        response: dns.message.Message = dns.query.receive_udp(
            sock, None, expiry, ignore_errors=True, raise_on_truncation=True, query=query
        )[0]
        return response


def _reply(response: dns.message.Message, elapsed_ms: float) -> Reply:
    ecs = [option for option in response.options if isinstance(option, dns.edns.ECSOption)]
    ede = [option for option in response.options if isinstance(option, dns.edns.EDEOption)]
    return Reply(
        rcode=dns.rcode.to_text(response.rcode()),
        flags=tuple(dns.flags.to_text(response.flags).lower().split()),
        answers=_lines(response.answer),
        authority=_lines(response.authority),
        additional=_lines(response.additional),
        scope=ecs[0].scopelen if ecs else None,
        ede=tuple(option.to_text().removeprefix("EDE ") for option in ede),
        elapsed_ms=elapsed_ms,
        text=response.to_text(),
    )


def _lines(section: list[dns.rrset.RRset]) -> tuple[str, ...]:
    return tuple(line for rrset in section for line in rrset.to_text().splitlines())


def _rdtype(text: str) -> dns.rdatatype.RdataType:
    # Questions may have types that no zone holds, such as ANY.
    try:
        return dns.rdatatype.from_text(text)
    except (dns.exception.DNSException, ValueError):
        detail = f'"{excerpt(text)}" is no type to ask for.'
        hint = "Write it like A, AAAA, TXT or TYPE65."
        raise ConfigError([Reason("", "unknown_type", detail, excerpt(text), hint)]) from None


def _ecs(subnet: str) -> dns.edns.ECSOption:
    try:
        network = ipaddress.ip_network(subnet, strict=False)
        return dns.edns.ECSOption(str(network.network_address), network.prefixlen, 0)
    except (ValueError, dns.exception.DNSException):  # the latter for zones: fe80::1%eth0
        detail = f'"{excerpt(subnet)}" is no subnet.'
        hint = "Write it like 203.0.113.0/24 or 2001:db8::/48."
        raise ConfigError([Reason("", "bad_subnet", detail, excerpt(subnet), hint)]) from None


def _check_server(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        detail = f'"{excerpt(host)}" is no address of a server.'
        hint = "Give an IPv4 or IPv6 address."
        raise ConfigError([Reason("", "bad_address", detail, excerpt(host), hint)]) from None


def _unavailable(error: Exception, server: tuple[str, int], timeout_s: float) -> Unavailable:
    host, port = server
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(error, dns.exception.Timeout):
        return Unavailable(f"No reply from {where} within {timeout_s:g} s.")
    if isinstance(error, ConnectionRefusedError):
        return Unavailable(f"Nothing listens on {where}.")
    if isinstance(error, OSError):
        return Unavailable(f"{where} cannot be reached: {error.strerror or error}.")
    return Unavailable(f"{where} sent no proper reply: {str(error).rstrip('.') or 'cut short'}.")
