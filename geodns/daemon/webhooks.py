"""Tells webhooks what happens: each event once, in order, as long as it takes.

What has been told is remembered in the data directory, so that a control process that follows
another goes on where that one ended. A crash may repeat what was told in the second before it, with
the same id.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from prometheus_client.core import Metric

from geodns.api.metrics import family
from geodns.daemon.bookmark import Bookmark
from geodns.daemon.events import Event, Events, cursor_of
from geodns.daemon.notices import MISSED, Notice, body_of, headers_of, is_news, notice_of
from geodns.daemon.outbox import Cursor, Last, Outbox
from geodns.errors import GeodnsError
from geodns.model.config import Config
from geodns.model.override import instant
from geodns.model.webhook import Webhook

PAUSE_S, PAUSE_MAX_S = 1.0, 300.0
"""Pauses between attempts, each twice the last. Source: Standard Webhooks asks for growing ones."""

ATTEMPTS_MAX = 15
"""Source: no reference; the pauses add up to some 34 minutes, a deployment gone wrong."""

SPREAD = 0.2
"""Part of a pause that is left to chance, so that receivers are not asked by many at once."""

SAVE_S = 1.0

Post = Callable[[Webhook, bytes, Mapping[str, str]], Awaitable[str]]
"""One attempt; why it failed, in words that tell no secret, empty if it was taken. Never raises."""

log = logging.getLogger("geodns.webhooks")


class Webhooks:
    """All receivers of one control process."""

    def __init__(
        self,
        events: Events,
        config: Callable[[], Config],
        bookmark: Bookmark,
        post: Post,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._events = events
        self._config = config
        self._bookmark = bookmark
        self._post = post
        self._clock = clock
        self._sleep = sleep
        self._seen: Cursor = (0, 0)
        self._at = ""
        self._outboxes: dict[str, Outbox] = {}
        self._tellers: dict[str, asyncio.Task[None]] = {}
        self._owners: tuple[Config | None, dict[str, list[str]]] = (None, {})

    async def run(self) -> None:
        """Follow the events, for ever."""
        resumed, told = self._bookmark.read()
        saving = asyncio.create_task(self._save())
        last: str | None = None
        try:
            while True:
                try:
                    last = last or resumed or self._events.here()
                    self._seen = cursor_of(last)
                    self._sync(told)
                    async for event in self._events.stream(last):
                        self._sync({})
                        last = event[0] or last
                        self._hear(event)
                except GeodnsError as error:
                    log.debug("events cannot be read: %s", error)
                await asyncio.sleep(SAVE_S)
        finally:
            saving.cancel()
            for task in self._tellers.values():
                task.cancel()
            self._write()

    def status(self, webhook_id: str) -> dict[str, Any] | None:
        """What became of a webhook's notices since this process began."""
        outbox = self._outboxes.get(webhook_id)
        return outbox.view() if outbox else None

    def metric(self) -> Metric:
        """How many notices came to what."""
        outboxes = list(self._outboxes.values())
        return family(
            "geodns_webhook_notices_total",
            *(
                ((result,), sum(getattr(outbox, result) for outbox in outboxes))
                for result in ("delivered", "failed", "dropped")
            ),
        )

    # --- From the stream ---

    def _sync(self, told: Mapping[str, Cursor]) -> None:
        """One outbox and one teller for each webhook there is."""
        wanted = self._config().webhooks
        for gone in self._outboxes.keys() - wanted.keys():
            self._tellers.pop(gone).cancel()
            del self._outboxes[gone]
        for fresh in wanted.keys() - self._outboxes.keys():
            outbox = self._outboxes[fresh] = Outbox(told.get(fresh, self._seen))
            self._tellers[fresh] = asyncio.create_task(self._tell(fresh, outbox))

    def _hear(self, event: Event) -> None:
        event_id, kind, data = event
        if not kind:
            return
        cursor = self._seen = cursor_of(event_id)
        self._at = data.get("at", self._at) if kind != "generation" else self._at
        notice = notice_of(cursor, kind, data, self._nodes(data.get("address", "")))
        news = is_news(kind, data)
        for webhook_id, outbox in self._outboxes.items():
            wanted = self._config().webhooks[webhook_id].events
            if news and (kind == MISSED or kind in wanted):
                outbox.offer(notice)
            else:
                outbox.pass_over(cursor)

    def _nodes(self, address: str) -> list[str]:
        """The nodes that have an address, or a name."""
        config = self._config()
        if self._owners[0] is not config:
            owners: dict[str, list[str]] = {}
            for node_id, node in config.nodes.items():
                for each in (*node.addresses, *([node.cname] if node.cname else [])):
                    owners.setdefault(each, []).append(node_id)
            self._owners = config, owners
        return self._owners[1].get(address, [])

    # --- To the receivers ---

    async def _tell(self, webhook_id: str, outbox: Outbox) -> None:
        while True:
            notice = await outbox.first()
            delivered = await self._deliver(webhook_id, outbox, notice)
            outbox.done(notice, delivered=delivered)
            if not delivered:
                why = outbox.last.error if outbox.last else ""
                log.warning("webhook %s: a notice is given up: %s", webhook_id, why)

    async def _deliver(self, webhook_id: str, outbox: Outbox, notice: Notice) -> bool:
        """Attempt by attempt, each with the webhook as it is by then."""
        for pause_s in _pauses():
            webhook = self._config().webhooks.get(webhook_id)
            if webhook is None:
                return False
            error = await self._attempt(webhook, notice)
            outbox.last = Last(instant(int(self._clock() * 1000)), error)
            if not error:
                return True
            log.info("webhook %s: %s", webhook_id, error)
            await self._sleep(pause_s * random.uniform(1 - SPREAD, 1 + SPREAD))
        return False

    async def _attempt(self, webhook: Webhook, notice: Notice) -> str:
        octets = body_of(notice, webhook.format)
        secret = webhook.secret.get_secret_value() if webhook.secret else None
        return await self._post(webhook, octets, headers_of(notice, octets, secret, self._clock()))

    # --- Over restarts ---

    async def _save(self) -> None:
        while True:
            await asyncio.sleep(SAVE_S)
            await asyncio.to_thread(self._write)

    def _write(self) -> None:
        told = {webhook_id: outbox.told for webhook_id, outbox in list(self._outboxes.items())}
        if told:
            self._bookmark.write(self._seen, self._at, told)


def _pauses() -> Iterator[float]:
    """After each attempt; none after the last."""
    for attempt in range(ATTEMPTS_MAX):
        last = attempt == ATTEMPTS_MAX - 1
        yield 0.0 if last else min(PAUSE_S * 2**attempt, PAUSE_MAX_S)
