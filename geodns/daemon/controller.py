"""What a control process consists of, and how it talks to the supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geodns.daemon.bookmark import Bookmark
from geodns.daemon.desk import Desk
from geodns.daemon.geo import Geo
from geodns.daemon.link import line
from geodns.daemon.observer import Observer
from geodns.daemon.places import Places
from geodns.daemon.reaper import Reaper
from geodns.daemon.storing import open_store
from geodns.daemon.webhooks import Webhooks
from geodns.errors import ConfigError, GeodnsError, Reason, Unavailable
from geodns.model.config import Config
from geodns.model.override import instant
from geodns.settings import Settings
from geodns.snapshot.publish import Plan, Publisher
from geodns.store.keyring import Keyring

ACCEPT_TIMEOUT_S = 10.0
"""How long the supervisor may take to judge a generation. Source: no reference; a City
database's takes 0.1 s."""

SERVED_POLL_S = 0.002

RETRY_S, RETRY_MAX_S = 1.0, 30.0
"""Pauses between attempts to publish what was refused, each twice the last. Source: no
reference; soon after the operator has made room, rarely if nobody does."""

log = logging.getLogger("geodns.control")


class Controller:
    """The pieces of one control process; fills the API's port `Publisher`."""

    def __init__(self, settings: Settings, places: Places, writer: asyncio.StreamWriter) -> None:
        self.settings = settings
        self.reload = asyncio.Event()
        self._places = places
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._latest: tuple[Any, str | None] | None = None
        self._retrying: asyncio.Task[None] | None = None
        self.observer = Observer(settings, places)
        self.geo = Geo(settings.geo_db, settings.asn_db)
        self.stored: Callable[[], tuple[Config, int]] | None = None
        self.reaper: Reaper | None = None
        self.webhooks: Webhooks | None = None
        self.desk = Desk(
            lambda message: writer.write(line(message)), places.journal, lambda: self.generation
        )
        self.observer.readers = lambda: self.desk.readers
        self.store = open_store(places.data, self.observer.meter.write)
        self.keyring: Keyring | None = None
        plan = Plan(
            data_dir=places.data,
            geo_db=self.geo.path,
            asn_db=settings.asn_db,
            default_location=settings.default_location,
            slots=settings.status_slots,
            view_budget=settings.view_budget_mb * 2**20,
        )
        self._publisher = Publisher(plan, self._announce, self._oldest_served)

    @property
    def data_dir(self) -> Path:
        """Where everything durable lies."""
        return self._places.data

    def bookmark(self) -> Bookmark:
        """How far webhooks have been told."""
        return Bookmark(self._places.data, self._places.journal)

    @property
    def dns_endpoints(self) -> list[str]:
        """Where DNS is answered."""
        return [str(endpoint) for endpoint in self.settings.dns]

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
        begun_s = time.monotonic()
        try:
            generation = await self._publisher.publish(config, forced=forced)
        except GeodnsError as error:
            self.observer.meter.publishing(False, time.monotonic() - begun_s)
            self.observer.fault = Reason("", "not_published", f"Last change: {error}")
            raise
        self.observer.meter.publishing(True, time.monotonic() - begun_s)
        # In a thread: a thousand zones take a third of a second.
        await asyncio.to_thread(self.observer.refresh)
        self.observer.fault = None
        self.desk.happenings.published(generation, instant(time.time_ns() // 1_000_000))
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

    def announce_serving(self) -> None:
        """Tell the supervisor that the API answers."""
        self._writer.write(line({"serving": True}))

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Hear the supervisor until it is gone."""
        while octets := await reader.readline():
            message = json.loads(octets)
            if "health" in message:
                self.observer.health(message["health"])
            elif "counted" in message:
                self.observer.counts = message["counted"]
            elif "children" in message:
                self.observer.children = message["children"]
            elif "journal" in message:
                self.desk.happenings.ring()
            elif "reload" in message:
                self.reload.set()
            elif "told" in message:
                self.desk.heard(message["told"])
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
        if self.keyring is not None:
            self.keyring.close()
        self.store.close()
