"""What waits for a receiver: in order, once, bounded."""

from __future__ import annotations

import asyncio

from geodns.daemon.notices import Notice, notice_of
from geodns.daemon.outbox import WAITING_MAX, Outbox


def notice(number: int) -> Notice:
    return notice_of((number, 1), "generation", {"generation": number})


def first(outbox: Outbox) -> Notice:
    return asyncio.run(outbox.first())


def test_first_in_is_first_out_and_stays_until_it_is_done() -> None:
    outbox = Outbox((0, 0))
    for number in (1, 2):
        outbox.offer(notice(number))
    assert first(outbox) == first(outbox) == notice(1)
    outbox.done(first(outbox), delivered=True)
    assert first(outbox) == notice(2)
    outbox.done(first(outbox), delivered=False)
    assert outbox.view() == {
        "waiting": 0, "delivered": 1, "failed": 1, "dropped": 0, "last": None
    }  # fmt: skip


def test_an_event_is_taken_once() -> None:
    outbox = Outbox((5, 1))
    for number in (4, 5, 6, 6):
        outbox.offer(notice(number))
    outbox.pass_over((7, 1))
    outbox.offer(notice(7))
    assert outbox.view()["waiting"] == 1
    assert first(outbox) == notice(6)


def test_beyond_the_bound_the_oldest_is_dropped_but_not_the_one_under_way() -> None:
    outbox = Outbox((0, 0))
    for number in range(1, WAITING_MAX + 4):
        outbox.offer(notice(number))
    assert (outbox.view()["waiting"], outbox.view()["dropped"]) == (WAITING_MAX, 3)
    assert first(outbox) == notice(1)
    outbox.done(notice(1), delivered=True)
    assert first(outbox) == notice(5)


def test_what_waits_is_not_told_yet() -> None:
    outbox = Outbox((3, 1))
    outbox.pass_over((4, 1))
    assert outbox.told == (4, 1)
    outbox.offer(notice(6))
    outbox.offer(notice(8))
    assert outbox.told == (4, 1)
    outbox.done(first(outbox), delivered=True)
    assert outbox.told == (6, 1)
    outbox.pass_over((9, 1))
    assert outbox.told == (6, 1)
    outbox.done(first(outbox), delivered=False)
    assert outbox.told == (9, 1)
