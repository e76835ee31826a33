"""The supervisor's ends of the links to its children."""

from __future__ import annotations

import logging
import selectors
import socket
from collections.abc import Callable
from functools import partial

from geodns.daemon.link import LineReader, Message, line

log = logging.getLogger("geodns.supervisor")

Hear = Callable[[Message], None]


class Links:
    """Links by the child's name. Shape: what is in ``selector`` has a callback as its data."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._links: dict[str, socket.socket] = {}

    def add(self, name: str, link: socket.socket, hear: Hear | None = None) -> None:
        """Keep a link; ``hear`` is called with each message that comes by it."""
        self._links[name] = link
        if hear is not None:
            heard = partial(self._hear, name, LineReader(), hear)
            self._selector.register(link, selectors.EVENT_READ, heard)

    def get(self, name: str) -> socket.socket | None:
        return self._links.get(name)

    def tell(self, name: str, message: Message) -> None:
        """Send a message, if there is anybody."""
        link = self._links.get(name)
        if link is None:
            return
        try:
            link.sendall(line(message))
        except OSError as error:
            log.error("%s does not listen: %s", name, error)

    def forget(self, name: str) -> None:
        """Close a link, if there is one."""
        link = self._links.pop(name, None)
        if link is None:
            return
        if link.fileno() in self._selector.get_map():
            self._selector.unregister(link)
        link.close()

    def leave(self) -> None:
        """Close all, in a forked child: they stay its parent's."""
        self._selector.close()
        for link in self._links.values():
            link.close()

    def _hear(self, name: str, reader: LineReader, hear: Hear) -> None:
        try:
            octets = self._links[name].recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self.forget(name)
            return
        for message in reader.feed(octets):
            hear(message)
