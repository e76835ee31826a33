"""The collector is kept from the fleet, and only from a great one."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from geodns.health import garbage


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_many_newcomers_are_looked_through_once_and_no_more() -> None:
    fleet = [[number] for number in range(100)]
    garbage.spare(garbage.MANY)
    assert gc.get_freeze_count() > len(fleet)
    assert not any(found is fleet for found in gc.get_objects())


def test_a_few_newcomers_are_not_worth_it() -> None:
    garbage.spare(garbage.MANY - 1)
    assert gc.get_freeze_count() == 0


def test_what_was_in_a_cycle_goes_with_the_next_great_change() -> None:
    class Cyclic:
        def __init__(self) -> None:
            self.me = self
            gone.append(0)

        def __del__(self) -> None:
            gone.pop()

    gone: list[int] = []
    kept = Cyclic()
    garbage.spare(garbage.MANY)
    del kept
    gc.collect()
    assert gone
    garbage.spare(garbage.MANY)
    assert not gone
