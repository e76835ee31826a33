"""The zone in a responder of this process, cookies and NSID included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.lab import NOW_S, RESOLVER, Lab

from geodns.document.load import from_document
from geodns.engine.cookies import CookieJar
from geodns.engine.responder import Surroundings
from geodns.geo.world import World

from .zone import document

Ask = Callable[[bytes, bool], bytes | None]
"""A packet, and whether it comes over TCP; the reply."""


def inside(directory: Path, world: World, engine: str) -> Ask:
    lab = Lab(directory, world, from_document({"geodns": 1, **document()}), engine=engine)
    around = Surroundings(nsid=b"one", jar=CookieJar([bytes(16)], lambda: NOW_S))
    responder = lab.responding(around)
    return lambda packet, tcp: responder.respond(packet, RESOLVER, tcp=tcp)
