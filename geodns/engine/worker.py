"""A worker: one process, its sockets, one generation at a time.

The supervisor forks it with its sockets open and the current sections mapped. Later
generations come over the link as sealed memory files, each section once, then the manifest.
The worker ends when the link does: the supervisor is gone then.
"""

from __future__ import annotations

import contextlib
import json
import logging
import mmap
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from geodns.engine.generation import Generation, needed
from geodns.engine.native import QUESTIONS_BURST, NativeServer
from geodns.engine.page import WorkerPage
from geodns.engine.responder import Responder, Surroundings, refuse
from geodns.engine.scribe import Counted, Scribe
from geodns.engine.sockets import Listener
from geodns.engine.tally import Tally
from geodns.engine.tcp import TcpServer
from geodns.errors import GeodnsError
from geodns.snapshot.manifest import Manifest
from geodns.snapshot.status import StatusTable

PACKET_MAX = 4096
"""Octets read of a datagram. Source: the largest payload any resolver announces; a query that
is longer is cut and then FORMERR."""

BURST = 64
"""Datagrams answered before other sockets get their turn."""

BEAT_S = 0.5
"""How often an idle worker shows that it is alive."""

LINK_MESSAGE_MAX = 4096

MAPPED = "::ffff:"
"""How an IPv4 client of the IPv6 socket appears (RFC 4291 section 2.5.5.2)."""

log = logging.getLogger("geodns.engine")

Sections = dict[str, mmap.mmap]


class Worker:
    """Serves until told to stop or left alone."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        link: socket.socket,
        status: StatusTable,
        page: WorkerPage,
        sections: Sections,
        around: Surroundings,
        tally: Tally | None = None,
    ) -> None:
        """Without a ``tally`` nothing is counted but what the page has room for."""
        self._selector = selectors.DefaultSelector()
        self._link = link
        self._status = status
        self._page = page
        page.claim(os.getpid())
        self._scribe = Scribe(page, tally, host=around.native is not None)
        self._sections = sections
        self._around = around
        self._responder: Responder | None = None
        self._stopping = False
        self._native = (
            NativeServer(listeners, status, page, around.native, tally)
            if around.native is not None
            else None
        )
        self._tcp = TcpServer(self._selector, self._respond_tcp, page.add)
        for listener in listeners if self._native is None else ():
            self._register(listener)
        link.setblocking(False)
        self._selector.register(link, selectors.EVENT_READ, lambda _: self._hear())

    def load(self, manifest: Manifest) -> None:
        """Serve a generation whose sections are all here.

        Errors: ConfigError when it contradicts itself; the one before is served on.
        """
        generation = Generation(manifest, lambda entry: memoryview(self._sections[entry.hash]))
        rows = self._scribe.load(generation)
        if self._native is not None:  # first, for it answers as soon as it is ready
            sections = [
                (e.kind, e.name, memoryview(self._sections[e.hash])) for e in needed(manifest)
            ]
            self._native.load(sections, rows)
        self._responder = Responder(generation, self._status, self._around)
        kept = {entry.hash for entry in manifest.sections}
        for digest in self._sections.keys() - kept:
            del self._sections[digest]  # unmapped when the last reader has let go
        self._page.acknowledge(manifest.generation)

    def run(self) -> None:
        """Answer until SIGTERM, or until the supervisor is gone."""
        signal.signal(signal.SIGTERM, lambda *_: self._stop())
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides
        if self._native is not None:
            questions = self._native.start()
            self._selector.register(questions, selectors.EVENT_READ, lambda _: self._serve_asked())
        while not self._stopping:
            for key, events in self._selector.select(BEAT_S):
                key.data(events)
            if self._native is None or self._native.is_well():
                self._page.beat()
            for fault in self._native.faults() if self._native else ():
                log.error("native: %s", fault)
            self._tcp.expire()
        if self._native is not None:
            self._native.stop()
        self._tcp.close()

    def _stop(self) -> None:
        self._stopping = True

    def _register(self, listener: Listener) -> None:
        serve = self._serve_wildcard if listener.wildcard else self._serve_udp
        udp, tcp = listener.udp, listener.tcp
        self._selector.register(udp, selectors.EVENT_READ, lambda _: serve(udp))
        self._selector.register(tcp, selectors.EVENT_READ, lambda _: self._tcp.accept(tcp))

    def _serve_udp(self, sock: socket.socket) -> None:
        receive, send, respond = sock.recvfrom, sock.sendto, self._respond_udp
        for _ in range(BURST):
            try:
                packet, source = receive(PACKET_MAX)
            except OSError:  # nothing left, or an ICMP error for an earlier reply
                return
            reply = respond(packet, source)
            if reply is not None:
                with contextlib.suppress(OSError):  # a full queue: the client asks again
                    send(reply, source)

    def _serve_wildcard(self, sock: socket.socket) -> None:
        """As `_serve_udp`; the reply leaves from the address that was asked."""
        space = socket.CMSG_SPACE(20)
        for _ in range(BURST):
            try:
                packet, ancillary, _, source = sock.recvmsg(PACKET_MAX, 2 * space)
            except OSError:
                return
            reply = self._respond_udp(packet, source)
            if reply is not None:
                with contextlib.suppress(OSError):
                    sock.sendmsg([reply], _reply_from(ancillary), 0, source)

    def _serve_asked(self) -> None:
        """Answer what the native engine hands over: debug names."""
        assert self._native is not None
        for _ in range(QUESTIONS_BURST):
            question = self._native.take()
            if question is None:
                return
            reply = self._respond(question.packet, question.resolver, tcp=question.tcp)
            self._native.answer(question, reply)

    def _respond_udp(self, packet: bytes, source: tuple[Any, ...]) -> bytes | None:
        if not source[1]:  # nobody listens on port 0: a forged source
            self._scribe.forged()
            return None
        return self._respond(packet, source[0], tcp=False)

    def _respond_tcp(self, packet: bytes, peer: str) -> bytes | None:
        return self._respond(packet, peer, tcp=True)

    def _respond(self, packet: bytes, resolver: str, *, tcp: bool) -> bytes | None:
        begun_ns = time.perf_counter_ns()
        if resolver[:7] == MAPPED and ":" not in resolver[7:]:
            resolver = resolver[7:]
        if self._responder is None:  # no generation yet: we are authoritative for nothing
            reply, query, found = refuse(packet), None, None
        else:
            reply = self._responder.respond(packet, resolver, tcp=tcp)
            query, found = self._responder.query, self._responder.reply
        self._scribe.count(Counted(packet, tcp, ":" in resolver, reply, query, found), begun_ns)
        return reply

    def _hear(self) -> None:
        """One message of the supervisor: a section's memory file, or a whole manifest's."""
        try:
            octets, descriptors, _, _ = socket.recv_fds(self._link, LINK_MESSAGE_MAX, 1)
        except BlockingIOError:
            return
        except OSError:
            octets, descriptors = b"", []
        if not octets:
            self._stop()
            return
        if not descriptors:  # it was sent one, for which this process had no room
            log.error("no descriptor is left for a generation: a fresh worker takes over")
            self._stop()
            return
        mapped = [_map(descriptor) for descriptor in descriptors]
        message = json.loads(octets)
        if "section" in message:
            self._sections[message["section"]] = mapped[0]
            return
        try:
            self.load(Manifest.decode(bytes(mapped[0])))
        except GeodnsError as error:
            log.error("generation %s is not served: %s", message.get("generation"), error)


def _map(descriptor: int) -> mmap.mmap:
    try:
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)


Ancillary = list[tuple[int, int, bytes]]
_IP_PKTINFO, _IPV6_PKTINFO = 8, 50
_reply_forms: dict[tuple[int, int], Callable[[bytes], bytes]] = {
    # in_pktinfo (ip(7)): interface, local address, header's address; the reply needs the local
    # address in the second place and lets the kernel choose the interface.
    (socket.IPPROTO_IP, _IP_PKTINFO): lambda data: bytes(4) + data[4:8] + bytes(4),
    (socket.IPPROTO_IPV6, _IPV6_PKTINFO): lambda data: data,
}


def _reply_from(ancillary: Ancillary) -> Ancillary:
    """The control message that makes a reply leave from where the query arrived."""
    return [
        (level, kind, _reply_forms[level, kind](data))
        for level, kind, data in ancillary
        if (level, kind) in _reply_forms
    ][:1]
