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
from typing import TYPE_CHECKING

from geodns.daemon.link import LINE_MAX, Message
from geodns.daemon.places import API_FILE
from geodns.errors import GeodnsError

if TYPE_CHECKING:
    import uvicorn

    from geodns.daemon.controller import Controller

log = logging.getLogger("geodns.control")


async def run(link: socket.socket, api_socket: socket.socket) -> None:
    """Serve the API until SIGTERM or the end of the link."""
    reader, writer = await asyncio.open_connection(sock=link, limit=LINE_MAX)
    start: Message = json.loads(await reader.readline())
    # From our own supervisor, over a socket nobody else can reach.
    settings, places = pickle.loads(base64.b64decode(start["start"]))
    logging.getLogger().setLevel(settings.log_level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # Imported here: the compile process imports this module by name and needs none of it.
    from geodns.daemon.controller import Controller

    control = Controller(settings, places, writer)
    try:
        await _serve(control, reader, api_socket)
    finally:
        control.close()


async def _serve(
    control: Controller, reader: asyncio.StreamReader, api_socket: socket.socket
) -> None:
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
    announcing = loop.create_task(_announce(server, control))
    reaping = loop.create_task(control.reaper.run()) if control.reaper else starting
    telling = loop.create_task(control.webhooks.run()) if control.webhooks else starting
    await asyncio.wait({serving, listening, ending}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    ending.cancel()
    starting.cancel()
    announcing.cancel()
    reaping.cancel()
    telling.cancel()
    listening.cancel()
    await serving


async def _announce(server: uvicorn.Server, control: Controller) -> None:
    """Tell that requests are heard from now on, or what waits for them would lapse too soon."""
    while not server.started:  # noqa: ASYNC110, the server has no event for it
        await asyncio.sleep(0.01)
    control.announce_serving()


def _write_api_file(control: Controller, api_socket: socket.socket) -> None:
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
