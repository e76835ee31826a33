"""Both engines: the reference one is always there, the native one where it was built."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from geodns.engine.native import is_built
from geodns.engine.responder import Responder, Surroundings

if TYPE_CHECKING:
    from geodns._native import Around
    from support.lab import Lab

ENGINES = ("python", "native")


class Responds(Protocol):
    """An engine with a generation, ready to answer."""

    def respond(self, packet: bytes, resolver: str, *, tcp: bool = False) -> bytes | None: ...


def need(engine: str) -> None:
    """Skip the test if there is no such engine here, but not where it must be."""
    if engine != "native" or is_built():
        return
    if os.environ.get("GEODNS_REQUIRE_NATIVE", "0") not in ("", "0"):
        pytest.fail("the native engine must be there, and was not built")
    pytest.skip("the native engine was not built: no cargo")


def responding(lab: Lab, engine: str, around: Surroundings | None = None) -> Responds:
    """The lab's generation behind one of the engines."""
    if engine == "native":
        return _Native(lab, around or Surroundings())
    return Responder(lab.generation, lab.status, around)


def sections(lab: Lab) -> list[tuple[int, str, Any]]:
    """The generation of a lab as the native engine takes it."""
    assert lab.manifest is not None
    return [(entry.kind, entry.name, lab.fetch(entry)) for entry in lab.manifest.sections]


def native_around(around: Surroundings) -> Around:
    """The same surroundings for the native engine; debug names and trust it has none."""
    from geodns import _native

    assert around.debug is None
    assert around.trusts is None
    secrets: Sequence[bytes] = around.jar._secrets if around.jar is not None else ()
    return _native.Around(
        nsid=around.nsid, cookie_secrets=list(secrets), keepalive=around.keepalive
    )


class _Native:
    def __init__(self, lab: Lab, around: Surroundings) -> None:
        from geodns import _native

        self._around = around
        self._engine = _native.Engine(sections(lab), lab.status.table, native_around(around))

    def respond(self, packet: bytes, resolver: str, *, tcp: bool = False) -> bytes | None:
        jar = self._around.jar
        now_s = int(jar._clock()) if jar is not None else 0
        reply = self._engine.respond(packet, resolver, tcp=tcp, now_s=now_s)
        assert reply is not NotImplemented, "nothing here is for the reference engine"
        return reply  # type: ignore[return-value]
