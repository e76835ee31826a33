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
from typing import TYPE_CHECKING, Any

from geodns.daemon.link import LINE_MAX, Message
from geodns.errors import GeodnsError
from geodns.settings import logs

if TYPE_CHECKING:
    from fastapi import FastAPI

    from geodns.daemon.controller import Controller
    from geodns.daemon.front import Front
    from geodns.daemon.places import Places
    from geodns.settings import Settings

LESS_THAN_DNS = 5
"""Nice value, also of the compiler: where they share a core, DNS goes first. Source: sched(7), a
third of its share; more would leave too little to publish by while queries take all they can."""

SWITCH_S = 0.001
"""How long a thread that works on a large document keeps requests waiting each time they need the
interpreter, some five times each. Source: measured, Python's own 5 ms make 30 ms of it."""

log = logging.getLogger("geodns.control")


async def run(link: socket.socket, api_socket: socket.socket) -> None:
    """Serve the API until SIGTERM or the end of the link."""
    reader, writer = await asyncio.open_connection(sock=link, limit=LINE_MAX)
    start: Message = json.loads(await reader.readline())
    # From our own supervisor, over a socket nobody else can reach.
    settings, places = pickle.loads(base64.b64decode(start["start"]))
    logs.set_up("control", settings.log_level, settings.log_format)
    # Imported here: what is told first decides how they log.
    from geodns.daemon.front import Front
    from geodns.daemon.standby import until_made

    def front_of(app: Any) -> Front:
        # A socket of its own: a web server that ends closes what it had.
        return Front(settings, places.data, app, api_socket.dup())

    control, app = await until_made(lambda: _make(settings, places, writer), front_of)
    try:
        await _serve(control, front_of(app), reader)
    finally:
        control.close()


def _make(
    settings: Settings, places: Places, writer: asyncio.StreamWriter
) -> tuple[Controller, FastAPI]:
    from geodns.daemon.application import make_application
    from geodns.daemon.controller import Controller

    control = Controller(settings, places, writer)
    try:
        return control, make_application(control)
    except BaseException:
        control.close()
        raise


async def _serve(control: Controller, front: Front, reader: asyncio.StreamReader) -> None:
    from geodns.daemon.application import publish_at_start

    terminated = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, terminated.set)
    loop.add_signal_handler(signal.SIGHUP, control.reload.set)
    serving = asyncio.ensure_future(front.serve(control.announce_serving))
    ends = [serving, *map(asyncio.ensure_future, (control.listen(reader), terminated.wait()))]
    others = [publish_at_start(control), front.watch(control.reload)]
    others += [each.run() for each in (control.reaper, control.webhooks) if each is not None]
    running = [*ends, *map(asyncio.ensure_future, others)]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    control.observer.ending = True
    for task in running:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def main(arguments: list[str] | None = None) -> int:
    """Exit codes: 0 told to end, else that of the error."""
    parser = argparse.ArgumentParser(prog="geodns.daemon.control")
    parser.add_argument("--link-fd", type=int, required=True)
    parser.add_argument("--api-fd", type=int, required=True)
    parser.add_argument("--log-format", default=logs.FORMATS[0], choices=logs.FORMATS)
    options = parser.parse_args(arguments)
    logs.set_up("control", "warning", options.log_format)
    os.nice(LESS_THAN_DNS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor passes on what is meant
    sys.setswitchinterval(SWITCH_S)
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
