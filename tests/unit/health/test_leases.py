"""Leases of nodes, and what a busy node gives away."""

from __future__ import annotations

import pytest

from geodns.health.leases import Leases
from geodns.health.shed import SHED_MAX, shed


def test_a_node_lapses_when_its_lease_ends_and_returns_by_a_sign_of_life() -> None:
    leases = Leases()
    leases.load({"a": 10.0}, 0)
    assert not leases.sweep(10)
    assert leases.sweep(10.1)
    assert leases.lapsed == {"a": "no sign of life for 10 s"}
    assert not leases.sweep(11), "told once"
    assert leases.beat("a", 0.5, 12)
    assert (leases.lapsed, leases.loads) == ({}, {"a": 0.5})


def test_signs_of_life_keep_a_node_through_generations() -> None:
    leases = Leases()
    leases.load({"a": 10.0}, 0)
    for now_s in range(5, 100, 5):
        leases.beat("a", None, now_s)
        leases.load({"a": 10.0, "b": 1000.0}, now_s + 1)
        assert leases.lapsed == {}
    leases.load({"b": 1000.0}, 200)
    assert leases.lapsed == {}, "a is nobody's any more"


def test_leases_stand_still_while_nobody_can_be_heard() -> None:
    leases = Leases()
    leases.load({"a": 10.0, "dead": 1.0}, 0)
    leases.beat("a", None, 5)
    leases.sweep(5)
    leases.reachable(False, 6)
    leases.sweep(1000)
    assert leases.lapsed.keys() == {"dead"}
    leases.reachable(True, 1000)
    leases.sweep(1009)
    assert leases.lapsed.keys() == {"dead"}
    leases.sweep(1011)
    assert leases.lapsed.keys() == {"a", "dead"}


def test_a_sign_of_life_of_an_unknown_node_is_nothing() -> None:
    leases = Leases()
    assert not leases.beat("a", 1.0, 0)
    assert (leases.lapsed, leases.loads) == ({}, {})


@pytest.mark.parametrize(
    ("load", "share"),
    [(None, 0), (0.0, 0), (0.7, 0), (0.8, 0.5), (0.9, 1), (50.0, 1)],
)
def test_a_busy_node_gives_users_away_in_proportion(load: float | None, share: float) -> None:
    assert shed(load, 0.7, 0.9) == pytest.approx(share * SHED_MAX, abs=1)


def test_a_share_is_of_65536_users_and_the_largest_is_all_of_them() -> None:
    """FORMAT.md, Status table: 65,535 is all; half of them is 32,768."""
    assert [shed(load, 0, 1) for load in (0.25, 0.5, 0.9999999, 1)] == [16384, 32768, 65535, 65535]


def test_bounds_that_coincide_are_a_step() -> None:
    assert (shed(0.5, 0.5, 0.5), shed(0.51, 0.5, 0.5)) == (0, SHED_MAX)
