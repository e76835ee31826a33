"""What probes know of the machine they run on, and whom they must not connect to."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from geodns.health.probes.turns import Turns
from geodns.model.reach import forbidden, spellings

API_FILE = "api.json"

LOOKUPS_MAX = 64
"""Names being looked up at once. Source: no reference; each costs a thread, and a resolver that
hangs should not cost thousands."""

SCRIPTS_MAX = 32
"""Programs of script monitors running at once. Source: no reference; what a small machine bears."""


class Refused(Exception):
    """A target that must not be connected to; the text says why."""


class Unable(Exception):
    """Nothing can be probed so from here; the text says what to do about it."""


class ApiPorts:
    """The port that the file ``api.json`` in the data directory says our API listens on."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / API_FILE
        self._stamp: tuple[int, int] | None = None
        self._ports: frozenset[int] = frozenset()

    def __call__(self) -> frozenset[int]:
        """Read anew when the file has changed; the last known when it cannot be read."""
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp != self._stamp:
                port = urlsplit(json.loads(self._path.read_bytes())["api"]).port
                self._ports, self._stamp = frozenset({port} if port else ()), stamp
        return self._ports


@dataclass(frozen=True, slots=True)
class Local:
    """This machine as probes need to know it.

    Shape: ``scripts_dir`` is where the programs of script monitors are, None if they are not
           allowed; ``own_ports`` are those of our own API just now.
    """

    scripts_dir: Path | None = None
    own_ports: Callable[[], frozenset[int]] = frozenset
    turns: Turns = field(default_factory=Turns)
    lookups: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LOOKUPS_MAX))
    scripts: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SCRIPTS_MAX))

    async def admitted(self, target: str, port: int) -> str:
        """The address to connect to: the target's own, or what its name stands for just now.

        A name is looked up once for each check and the check connects to that very address, so
        that a name cannot say one thing here and another when the connection is made.
        Errors: Refused when any address it has is forbidden, OSError when it has none.
        """
        if _is_address(target):
            self._check(target, port)
            return target
        async with self.lookups:
            found = await _lookup(target)
        for address in found:
            self._check(address, port)
        return found[0]

    def _check(self, address: str, port: int) -> None:
        why = forbidden(address)
        if why is not None:
            raise Refused(f"not probed: {why}")
        if port in self.own_ports() and any(
            ours(str(one)) for one in spellings(ip_address(address))
        ):
            raise Refused(f"not probed: {address} port {port} is our own API")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def ours(address: str) -> bool:
    """Whether an address is this machine's: only then is it the one that packets leave from."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect((address, 9))  # sends nothing
        return bool(probe.getsockname()[0] == address)
    return False


def _lookup(name: str) -> asyncio.Future[list[str]]:
    """The addresses a name has. In a daemon thread, for the C library's resolver may hang for
    longer than this process wants to live."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str], error: OSError | None) -> None:
        if not future.done():
            future.set_exception(error) if error else future.set_result(found)

    def look() -> None:
        found: list[str] = []
        failed: OSError | None = None
        try:
            infos = socket.getaddrinfo(
                name.rstrip("."), None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
            )
            found = [str(info[4][0]) for info in infos]
        except OSError as error:
            failed = error
        except ValueError:  # no text that the resolver takes
            failed = socket.gaierror(socket.EAI_NONAME, "no such name can be looked up")
        with suppress(RuntimeError):  # the loop is closed, nobody waits any more
            loop.call_soon_threadsafe(settle, found, failed)

    threading.Thread(target=look, daemon=True).start()
    return future
