"""The reference responder: one packet in, one reply or silence out.

What a reply says is found by `lookup`, a pure function of the generation, the status words,
the packet and its source. Here is the layer around it: cookies, keep-alive, debug names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodns.dns.message import (
    FORMERR,
    MESSAGE_MAX_OCTETS,
    OPTION_KEEPALIVE,
    OPTION_NSID,
    REFUSED,
    SERVFAIL,
    error_reply,
)
from geodns.dns.rrtypes import TYPE_NS
from geodns.engine.cookies import CookieJar
from geodns.engine.generation import Generation
from geodns.engine.lookup import Lookup, Trusts
from geodns.engine.query import Malformed, Query
from geodns.engine.reply import Reply, option
from geodns.errors import ConfigError
from geodns.snapshot.status import StatusTable

if TYPE_CHECKING:
    from geodns._native import Around

log = logging.getLogger("geodns.engine")

DebugHook = Callable[[Lookup, Query, str, bool, bytes], bytes | None]
"""Answers debug names (`_explain`, CHAOS) for a resolver that is or is not proven to be where
its packets say, with these EDNS options; None leaves the query to the zones."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What surrounds the lookup. Units: ``keepalive`` in 100 ms (RFC 7828 section 3.1).

    Shape: ``native`` is the same for the native engine; None where it does not serve.
    """

    nsid: bytes = b""
    jar: CookieJar | None = None
    debug: DebugHook | None = None
    trusts: Trusts | None = None
    keepalive: int = 100
    native: Around | None = None


class Responder:
    """Answers from one generation and the live status words."""

    def __init__(
        self, generation: Generation, status: StatusTable, around: Surroundings | None = None
    ) -> None:
        self._around = around or Surroundings()
        self.lookup = Lookup(generation, status, self._around.trusts)
        self.query: Query | None = None
        self.reply: Reply | None = None

    def respond(self, packet: bytes, resolver: str, *, tcp: bool = False) -> bytes | None:
        """The reply to a packet from ``resolver``; None for silence. Never raises.

        What it was about stands in ``query`` and ``reply`` afterwards, as far as that was found.
        """
        self.query = self.reply = None
        try:
            query = self.query = Query(packet)
        except Malformed as fault:
            return _reply_to_fault(packet, fault)
        try:
            return self._respond(query, resolver, tcp)
        except Exception:
            log.exception("a query could not be answered")
            return error_reply(packet, SERVFAIL, edns=query.edns)

    def _respond(self, query: Query, resolver: str, tcp: bool) -> bytes | None:
        options, proven = b"", tcp
        if query.cookie is not None and self._around.jar is not None:
            cookie = self._around.jar.judge(query.cookie, resolver)
            if cookie is None:  # RFC 7873 section 5.2.2
                return error_reply(query.packet, FORMERR, edns=True)
            options, proven = cookie.option, tcp or cookie.valid
        if not query.qname:  # RFC 7873 section 5.4: it only wants a cookie
            return Reply(query, resolver, authoritative=False).encode(query.limit, options)
        if query.nsid or (tcp and query.keepalive):
            options += self._extras(query, tcp)
        reply = self.lookup.known(query, resolver)
        if reply is None:
            if self._around.debug is not None:
                told = self._around.debug(self.lookup, query, resolver, proven, options)
                if told is not None:
                    return told
            reply = self.lookup.search(query, resolver)
        self.reply = reply
        return reply.encode(MESSAGE_MAX_OCTETS if tcp else query.limit, options)

    def _extras(self, query: Query, tcp: bool) -> bytes:
        """Options that few ask for."""
        options = b""
        if query.nsid and self._around.nsid:
            options += option(OPTION_NSID, self._around.nsid)
        if tcp and query.keepalive:
            # RFC 7828 section 3.3.2: only over TCP, only to who sent it.
            options += option(OPTION_KEEPALIVE, self._around.keepalive.to_bytes(2, "big"))
        return options


def refuse(packet: bytes) -> bytes | None:
    """The reply of a server that has no zones yet. Never raises."""
    try:
        query = Query(packet)
    except Malformed as fault:
        return _reply_to_fault(packet, fault)
    return error_reply(packet, REFUSED, edns=query.edns)


def _reply_to_fault(packet: bytes, fault: Malformed) -> bytes | None:
    if fault.rcode is None:
        return None
    return error_reply(packet, fault.rcode, edns=fault.edns, tsig=fault.tsig)


def check_generation(generation: Generation) -> None:
    """Ask a generation its own questions before it is served; "never publish worse".

    Errors: ConfigError when a zone does not answer its SOA and NS.
    """
    for zone in generation.zones.values():
        apex = zone.owner(zone.apex)
        if apex is None or TYPE_NS not in apex.rrsets:
            raise ConfigError("A zone of the generation has no apex with NS.")
