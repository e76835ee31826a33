"""Events on their way to receivers: once each, again after failures, on after restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from geodns.daemon.bookmark import FILE_NAME, Bookmark
from geodns.daemon.events import Events
from geodns.daemon.webhooks import ATTEMPTS_MAX, PAUSE_MAX_S, SPREAD, Webhooks
from geodns.health.journal import Journal, Record, What, open_journal
from geodns.model.config import Config
from geodns.model.node import Node
from geodns.model.webhook import Webhook
from geodns.snapshot.status import Verdict

OPS = Webhook(url="https://hooks.test/path")
NODES = {"fra1": Node(addresses=("192.0.2.10",))}


@dataclass
class Stage:
    """A journal, receivers that take or refuse, and no time that passes."""

    directory: Path
    hooks: dict[str, Webhook] = field(default_factory=lambda: {"ops": OPS})
    refusals: list[str] = field(default_factory=list)
    """Why the next attempts fail; after them all are taken."""
    attempts: list[tuple[str, str]] = field(default_factory=list)
    """The URL and the id of each attempt."""
    pauses: list[float] = field(default_factory=list)
    journal: Journal = field(init=False)
    now_ms: int = 1000

    def __post_init__(self) -> None:
        self.journal = open_journal(self.path, 16)
        self.open()

    @property
    def path(self) -> Path:
        return self.directory / "journal"

    def open(self) -> None:
        """A control process begins."""
        self.events = Events(self.path, lambda: 1)
        self.config = Config(nodes=NODES, webhooks=self.hooks)
        self.webhooks = Webhooks(
            self.events,
            lambda: self.config,
            Bookmark(self.directory, self.path),
            self.post,
            sleep=self.sleep,
        )

    async def post(self, hook: Webhook, octets: bytes, headers: Mapping[str, str]) -> str:
        self.attempts.append((hook.url, headers["Webhook-Id"]))
        return self.refusals.pop(0) if self.refusals else ""

    async def sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)
        await asyncio.sleep(0)

    def falls(self, count: int = 1, before: Verdict = Verdict.UP) -> None:
        """The node goes down so many times."""
        for _ in range(count):
            self.now_ms += 1
            self.journal.write(
                Record(self.now_ms, What.TRANSITION, "HTTP 503", 0, 1, "192.0.2.10",
                       "web", before, Verdict.DOWN)
            )  # fmt: skip
        self.events.ring()

    def play(self, *acts: Callable[[], None]) -> None:
        """Act by act, each told to its end; then the process ends in good order."""
        asyncio.run(self._play(acts))

    async def _play(self, acts: tuple[Callable[[], None], ...]) -> None:
        running = asyncio.create_task(self.webhooks.run())
        await _settled()
        for act in acts:
            act()
            await _settled()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def view(self, hook: str = "ops") -> dict[str, Any]:
        found = self.webhooks.status(hook)
        assert found is not None
        return found


async def _settled() -> None:
    """Everybody who can go on has done so; nobody here waits for time."""
    for _ in range(20 * ATTEMPTS_MAX):
        await asyncio.sleep(0)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def ids(stage: Stage) -> list[str]:
    return [each for _, each in stage.attempts]


def test_every_event_is_told_once_and_in_order(stage: Stage) -> None:
    stage.falls()
    stage.play(stage.falls, lambda: stage.falls(2))
    assert len(set(ids(stage))) == len(ids(stage)) == 3, "not what was before the webhook"
    assert stage.view() | {"last": None} == {
        "waiting": 0, "delivered": 3, "failed": 0, "dropped": 0, "last": None
    }  # fmt: skip
    assert stage.view()["last"]["error"] is None


def test_what_is_refused_is_tried_again_by_the_same_id_and_ever_more_rarely(stage: Stage) -> None:
    stage.refusals = ["hooks.test answered 503"] * 4
    stage.play(lambda: stage.falls(2))
    assert len(ids(stage)) == 6
    assert len(set(ids(stage))) == 2
    assert len(set(ids(stage)[:5])) == 1, "the second waits for the first"
    for pause_s, expected_s in zip(stage.pauses, (1, 2, 4, 8), strict=True):
        assert pause_s == pytest.approx(expected_s, rel=SPREAD)


def test_after_many_attempts_a_notice_is_given_up_and_the_next_one_told(stage: Stage) -> None:
    stage.refusals = ["hooks.test answered 503"] * ATTEMPTS_MAX
    stage.play(lambda: stage.falls(2))
    assert (stage.view()["failed"], stage.view()["delivered"]) == (1, 1)
    assert max(stage.pauses) <= PAUSE_MAX_S * (1 + SPREAD)
    told = {s.labels["result"]: s.value for s in stage.webhooks.metric().samples}
    assert told == {"delivered": 1, "failed": 1, "dropped": 0}


def test_a_receiver_who_is_down_does_not_hold_up_another(stage: Stage) -> None:
    stage.hooks = {"ops": OPS, "chat": Webhook(url="http://chat.test/x", format="slack")}
    stage.open()
    stage.play(lambda: stage.falls(3))
    assert stage.view("ops")["delivered"] == stage.view("chat")["delivered"] == 3


def test_only_what_is_wanted_and_news_is_told(stage: Stage) -> None:
    stage.hooks = {"ops": Webhook(url=OPS.url, events=("alarm",))}
    stage.open()

    def alarm() -> None:
        stage.journal.write(Record(5000, What.ALARM, "nothing answers"))
        stage.events.ring()

    stage.play(lambda: stage.falls(2), alarm)
    assert stage.view()["delivered"] == 1


def test_a_process_that_follows_goes_on_where_the_last_one_ended(stage: Stage) -> None:
    stage.play(lambda: stage.falls(2))
    stage.falls(2)
    stage.open()
    stage.play(lambda: stage.falls(1))
    assert len(set(ids(stage))) == len(ids(stage)) == 5


def test_what_was_not_taken_yet_is_told_by_the_next_process(stage: Stage) -> None:
    async def never(pause_s: float) -> None:
        await asyncio.Event().wait()

    stage.sleep = never  # type: ignore[method-assign]
    stage.open()
    stage.refusals = ["hooks.test answered 503"]
    stage.play(lambda: stage.falls(2))
    del stage.sleep
    stage.open()
    stage.play()
    assert len(ids(stage)) == 3
    assert ids(stage)[0] == ids(stage)[1]
    assert stage.view()["delivered"] == 2


def test_a_new_ring_is_told_whole(stage: Stage) -> None:
    stage.play(lambda: stage.falls(2))
    stage.path.unlink()
    stage.journal = open_journal(stage.path, 16)
    stage.falls(3, Verdict.UNKNOWN)
    stage.open()
    stage.play()
    assert stage.view()["delivered"] == 3


def test_what_the_ring_has_lost_is_told_as_missed(stage: Stage) -> None:
    stage.hooks = {"ops": Webhook(url=OPS.url, events=("alarm",))}
    stage.open()
    stage.play(stage.falls)
    stage.falls(40)
    stage.open()
    stage.play()
    assert stage.view()["delivered"] == 1, "to everybody, for nobody knows what it was"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format":1,"told":{"A":[]}}'])
def test_a_damaged_bookmark_is_no_bookmark(stage: Stage, text: str) -> None:
    (stage.directory / FILE_NAME).write_text(text)
    stage.falls()
    stage.open()
    stage.play(stage.falls)
    assert stage.view()["delivered"] == 1


def test_webhooks_come_and_go(stage: Stage) -> None:
    def change(**hooks: Webhook) -> Callable[[], None]:
        def act() -> None:
            stage.config = Config(nodes=NODES, webhooks=hooks)
            stage.falls()

        return act

    stage.play(change(), change(new=OPS), change(new=Webhook(url="https://other.test/")))
    assert stage.webhooks.status("ops") is None
    assert [url for url, _ in stage.attempts] == [OPS.url, "https://other.test/"]
