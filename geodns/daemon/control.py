"""The control process: the API, the store and the publisher, under the supervisor.

Run as ``python -m geodns.daemon.control``. DNS does not need it: when it dies, the workers
answer on from their sections and the health process keeps flipping words.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import logging
import os
import pickle
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from geodns.daemon.link import LINE_MAX, Message, line
from geodns.daemon.places import API_FILE, STORE, Places
from geodns.errors import ConfigError, GeodnsError, Reason, Unavailable
from geodns.settings import Settings

ACCEPT_TIMEOUT_S = 10.0
"""How long the supervisor may take to judge a generation. Source: no reference; a City
database's takes 0.1 s."""

SERVED_POLL_S = 0.002

RETRY_S, RETRY_MAX_S = 1.0, 30.0
"""Pauses between attempts to publish what was refused, each twice the last. Source: no
reference; soon after the operator has made room, rarely if nobody does."""

log = logging.getLogger("geodns.control")


class Control:
    """One control process. The pieces are made in `start`, when all imports are done."""

    def __init__(self, settings: Settings, places: Places, writer: asyncio.StreamWriter) -> None:
        from geodns.daemon.geo import Geo
        from geodns.daemon.observer import Observer
        from geodns.snapshot.publish import Plan, Publisher
        from geodns.store.sqlite import SqliteStore

        self._settings = settings
        self._places = places
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._latest: tuple[Any, str | None] | None = None
        self._retrying: asyncio.Task[None] | None = None
        self.observer = Observer(settings, places)
        self.geo = Geo(settings.geo_db)
        self.store = SqliteStore(places.data / STORE)
        plan = Plan(
            data_dir=places.data,
            geo_db=self.geo.path,
            default_location=settings.default_location,
            slots=settings.status_slots,
            view_budget=settings.view_budget_mb * 2**20,
        )
        self._publisher = Publisher(plan, self._announce, self._oldest_served)

    @property
    def data_dir(self) -> Path:
        """Where everything durable lies."""
        return self._places.data

    @property
    def dns_endpoints(self) -> list[str]:
        """Where DNS is answered."""
        return [str(endpoint) for endpoint in self._settings.dns]

    # -- The API's port

    @property
    def generation(self) -> int:
        """The generation published last."""
        return self._publisher.generation

    async def publish(self, config: Any, *, forced: str | None) -> int:
        """Publish; what is refused is tried again, for it is saved already."""
        self._latest = config, forced
        try:
            return await self._publish(config, forced)
        except GeodnsError:
            if self._retrying is None or self._retrying.done():
                self._retrying = asyncio.create_task(self._retry())
            raise

    async def _retry(self) -> None:
        """Publish the latest configuration once the disk has room or the database is whole."""
        pause_s = RETRY_S
        while self.observer.fault is not None and self._latest is not None:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RETRY_MAX_S)
            with contextlib.suppress(GeodnsError):
                generation = await self._publish(*self._latest)
                log.info("what was refused before is published as generation %d", generation)

    async def _publish(self, config: Any, forced: str | None) -> int:
        """Publish, and remember for /readyz what was refused."""
        try:
            generation = await self._publisher.publish(config, forced=forced)
        except GeodnsError as error:
            self.observer.fault = Reason("", "not_published", f"Last change: {error}")
            raise
        self.observer.fault = None
        return generation

    async def served(self, generation: int, timeout_s: float) -> bool:
        """Whether every worker serves ``generation`` or a later one in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._oldest_served() < generation:  # noqa: ASYNC110, pages have no events
                    await asyncio.sleep(SERVED_POLL_S)
        except TimeoutError:
            return False
        return True

    # -- The supervisor

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Hear the supervisor until it is gone."""
        while octets := await reader.readline():
            message = json.loads(octets)
            if "health" in message:
                self.observer.health(message["health"])
            elif "accepted" in message:
                self._settle(message["accepted"], None)
            elif "refused" in message:
                self._settle(message["refused"], message["reason"])

    async def _announce(self, generation: int) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[generation] = done
        self._writer.write(line({"publish": generation}))
        try:
            async with asyncio.timeout(ACCEPT_TIMEOUT_S):
                await done
        except TimeoutError:
            self._waiting.pop(generation, None)
            raise Unavailable("The supervisor does not say whether it accepts.") from None

    def _settle(self, generation: int, refusal: str | None) -> None:
        done = self._waiting.pop(generation, None)
        if done is None or done.done():
            return
        if refusal is None:
            done.set_result(None)
        else:
            done.set_exception(ConfigError([Reason("", "refused", refusal)]))

    def _oldest_served(self) -> int:
        workers = self.observer.worker_generations()
        return min(workers, default=0)

    def close(self) -> None:
        """Let go of what outlives a request."""
        self._publisher.close()
        self.store.close()


async def run(link: socket.socket, api_socket: socket.socket) -> None:
    """Serve the API until SIGTERM or the end of the link."""
    reader, writer = await asyncio.open_connection(sock=link, limit=LINE_MAX)
    start: Message = json.loads(await reader.readline())
    # From our own supervisor, over a socket nobody else can reach.
    settings, places = pickle.loads(base64.b64decode(start["start"]))
    logging.getLogger().setLevel(settings.log_level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    control = Control(settings, places, writer)
    try:
        await _serve(control, reader, api_socket)
    finally:
        control.close()


async def _serve(control: Control, reader: asyncio.StreamReader, api_socket: socket.socket) -> None:
    import uvicorn

    from geodns.daemon.application import make_application, publish_at_start

    app = make_application(control)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=32_768,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    # uvicorn ends the process by the signal it caught, before anything here could be closed.
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment]
    _write_api_file(control, api_socket)
    loop = asyncio.get_running_loop()
    terminated = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, terminated.set)
    serving = loop.create_task(server.serve(sockets=[api_socket]))
    listening = loop.create_task(control.listen(reader))
    ending = loop.create_task(terminated.wait())
    starting = loop.create_task(publish_at_start(control))
    await asyncio.wait({serving, listening, ending}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    ending.cancel()
    starting.cancel()
    listening.cancel()
    await serving


def _write_api_file(control: Control, api_socket: socket.socket) -> None:
    """Tell clients on this machine where the API and the DNS listen."""
    from geodns.snapshot.manifest import write_durably

    content = {"api": api_url(api_socket), "dns": control.dns_endpoints, "pid": os.getppid()}
    try:
        write_durably(control.data_dir / API_FILE, json.dumps(content).encode())
    except OSError as error:
        log.error("%s cannot be written: %s", control.data_dir / API_FILE, error)


def api_url(api_socket: socket.socket) -> str:
    """Where a client on this machine reaches the API."""
    host, port = api_socket.getsockname()[:2]
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{local}]:{port}" if ":" in local else f"http://{local}:{port}"


def main(arguments: list[str] | None = None) -> int:
    """Exit codes: 0 told to end, else that of the error."""
    parser = argparse.ArgumentParser(prog="geodns.daemon.control")
    parser.add_argument("--link-fd", type=int, required=True)
    parser.add_argument("--api-fd", type=int, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor passes on what is meant
    link = socket.socket(fileno=options.link_fd)
    api_socket = socket.socket(fileno=options.api_fd)
    try:
        asyncio.run(run(link, api_socket))
    except GeodnsError as error:
        for reason in error.reasons:
            log.error("%s", reason)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
