"""Work in small portions: order, rounds and backlog."""

from __future__ import annotations

import asyncio
import time

from geodns.health.probes.turns import BEHIND, ROUND_S, Turns


def test_who_comes_early_in_a_round_does_not_wait() -> None:
    async def scene() -> float:
        turns = Turns()
        started_s = time.perf_counter()
        for _ in range(100):
            await turns.take()
        return time.perf_counter() - started_s

    assert asyncio.run(scene()) < 0.1


def test_the_others_wait_in_order_and_timers_run_between_the_rounds() -> None:
    order: list[int] = []
    rounds: list[float] = []

    async def scene() -> None:
        turns, loop = Turns(), asyncio.get_running_loop()

        async def portion(number: int) -> None:
            await turns.take()
            order.append(number)
            end_s = time.perf_counter() + ROUND_S / 4
            while time.perf_counter() < end_s:
                pass

        def tick() -> None:
            rounds.append(time.perf_counter())
            loop.call_later(0.001, tick)

        tick()
        await asyncio.gather(*(portion(number) for number in range(100)))

    asyncio.run(scene())
    assert order == list(range(100))
    assert len(rounds) > 5  # of some 12: 8 portions each


def test_a_backlog_is_known_while_it_lasts() -> None:
    async def scene() -> tuple[bool, bool]:
        turns = Turns()

        async def portion() -> None:
            await turns.take()
            time.sleep(0.0001)  # noqa: ASYNC251  # it is work

        await turns.take()
        time.sleep(2 * ROUND_S)  # noqa: ASYNC251
        work = [asyncio.create_task(portion()) for _ in range(2 * BEHIND)]
        await asyncio.sleep(0)
        during = turns.behind()
        await asyncio.gather(*work)
        return during, turns.behind()

    assert asyncio.run(scene()) == (True, False)


def test_a_cancelled_check_gives_its_turn_to_the_next_and_another_loop_starts_anew() -> None:
    turns = Turns()

    async def long() -> None:
        await turns.take()
        time.sleep(2 * ROUND_S)  # noqa: ASYNC251

    async def scene() -> bool:
        working = asyncio.create_task(long())
        first, second = (asyncio.create_task(turns.take()) for _ in range(2))
        await working
        assert not first.done()
        first.cancel()
        await asyncio.wait_for(second, 1)
        return first.cancelled()

    assert [asyncio.run(scene()), asyncio.run(scene())] == [True, True]
