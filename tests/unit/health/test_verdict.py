"""The state machine of one target, by example; `test_health_oracle` has the random lives."""

from __future__ import annotations

import pytest

from geodns.health.damping import NOT_DAMPED
from geodns.health.verdict import State, fallen, launched, observed, recheck_due_s, resumed
from geodns.model.monitor import Monitor
from geodns.snapshot.status import Verdict

UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN


def monitor(**fields: object) -> Monitor:
    settings = {"type": "tcp", "port": 1, "interval_s": 5.0, "recheck": 4, "rise": 2}
    return Monitor.model_validate(settings | fields)


def see(state: State, rules: Monitor, results: str, now_s: float = 0.0) -> State:
    """Launch and observe one probe per letter: + passed, - failed. The checker is vouched for."""
    for result in results:
        state = launched(state, now_s)
        state = observed(state, rules, state.epoch, result == "+", now_s)
        if state.condemned:
            state = fallen(state, rules, now_s)
    return state


def test_the_first_pass_decides_at_once() -> None:
    state = see(State(), monitor(), "+")
    assert (state.verdict, state.decided, state.unsettled(0)) == (UP, True, False)


def test_the_first_failure_of_an_unknown_target_asks_for_a_burst_first() -> None:
    state = see(State(), monitor(), "-")
    assert (state.verdict, state.decided, state.unsettled(0)) == (UNKNOWN, False, True)
    assert see(state, monitor(), "----").verdict is DOWN


@pytest.mark.parametrize("failures", range(1, 5))
def test_a_target_stays_up_while_any_recheck_is_open(failures: int) -> None:
    state = see(State(UP), monitor(), "-" * failures)
    assert (state.verdict, state.burst is not None) == (UP, True)


def test_a_target_falls_when_every_recheck_has_failed() -> None:
    assert see(State(UP), monitor(), "-----").verdict is DOWN


def test_one_pass_in_the_burst_ends_it_and_leaves_a_short_unrest() -> None:
    state = see(State(UP), monitor(), "---+", now_s=10)
    assert (state.verdict, state.burst) == (UP, None)
    assert state.unsettled(14.9)
    assert not state.unsettled(15)


def test_without_rechecks_one_failure_is_enough() -> None:
    assert see(State(UP), monitor(recheck=0), "-").verdict is DOWN


def test_a_late_failure_of_a_decided_burst_says_nothing() -> None:
    rules = monitor()
    state = launched(see(State(UP), rules, "-"), 0.2)
    hanging = state.epoch
    state = see(state, rules, "+", 0.4)
    assert observed(state, rules, hanging, False, 2.2) == state


def test_a_fallen_target_needs_its_passes_in_a_row() -> None:
    rules = monitor(rise=3)
    fallen = see(State(UP), rules, "-----")
    assert see(fallen, rules, "++-++").verdict is DOWN
    assert see(fallen, rules, "++-+++").verdict is UP


def test_a_fallen_target_is_held_down_for_its_time() -> None:
    rules = monitor(hold_s=60.0)
    fallen = see(State(UP), rules, "-----", now_s=100)
    held = see(fallen, rules, "++++", now_s=159.9)
    assert held.verdict is DOWN
    assert see(held, rules, "+", now_s=160).verdict is UP


def test_a_change_leaves_answers_short_lived_for_three_intervals() -> None:
    fallen = see(State(UP), monitor(), "-----", now_s=100)
    assert fallen.unsettled(114.9)
    assert not fallen.unsettled(115)


def test_rechecks_start_apart_even_while_earlier_ones_hang() -> None:
    rules = monitor(recheck=3, recheck_after_s=0.2)
    state = see(State(UP), rules, "-", now_s=10)
    starts = []
    while (due_s := recheck_due_s(state, rules)) is not None:
        starts.append(round(due_s, 3))
        state = launched(state, due_s)
    assert starts == [10.2, 10.4, 10.6]


def test_a_checker_that_was_held_up_still_asks_apart() -> None:
    rules = monitor(recheck_after_s=0.2)
    state = launched(see(State(UP), rules, "-", now_s=10), 15.0)
    assert recheck_due_s(state, rules) == pytest.approx(15.1)


def test_changed_settings_keep_the_verdict_and_void_what_is_under_way() -> None:
    rules = monitor()
    bursting = see(State(UP), rules, "-")
    after = resumed(bursting)
    assert (after.verdict, after.burst) == (UP, None)
    assert observed(after, rules, bursting.epoch, False, 1) == after


def condemned(rules: Monitor, now_s: float = 0.0) -> State:
    """A target whose re-checks have all failed, and for which nobody vouches yet."""
    state = State(UP)
    while not state.condemned:
        state = observed(launched(state, now_s), rules, state.epoch, False, now_s)
    return state


def test_a_condemned_target_stays_up_until_the_checker_is_vouched_for() -> None:
    state = condemned(monitor())
    assert (state.shown, state.decided) == (UP, False)
    assert fallen(state, monitor(), 1).shown is DOWN


def test_a_condemned_target_that_answers_stays_up() -> None:
    state = condemned(monitor())
    state = observed(state, monitor(), state.epoch, True, 3)
    assert (state.shown, state.condemned, state.burst) == (UP, False, None)


def test_the_second_fall_within_ten_minutes_is_held_against_a_target() -> None:
    rules = monitor()
    state = see(see(State(UP), rules, "-----", 0), rules, "++", 10)
    assert state.shown is UP
    state = see(see(state, rules, "-----", 600), rules, "++", 610)
    assert (state.verdict, state.shown) == (UP, DOWN)
    assert not state.unsettled(700)
    assert see(state, rules, "+", 899).shown is DOWN
    assert see(state, rules, "+", 901).shown is UP


def test_a_second_fall_later_than_that_is_not() -> None:
    rules = monitor()
    state = see(see(State(UP), rules, "-----", 0), rules, "++", 10)
    state = see(see(state, rules, "-----", 601), rules, "++", 611)
    assert state.shown is UP


def test_a_held_target_must_not_have_failed_for_two_minutes() -> None:
    rules = monitor()
    state = see(see(State(UP), rules, "-----", 0), rules, "++", 10)
    state = see(see(state, rules, "-----", 600), rules, "++", 610)
    state = see(state, rules, "-+", 890)
    assert see(state, rules, "+", 1009).shown is DOWN
    assert see(state, rules, "+", 1011).shown is UP


def test_without_damping_no_fall_is_held_against_a_target() -> None:
    rules = monitor(damping=False)
    state = State(UP)
    for number in range(5):
        state = see(state, rules, "-----", 20 * number)
        assert state.shown is DOWN
        state = see(state, rules, "++", 20 * number + 10)
        assert (state.shown, state.damping) == (UP, NOT_DAMPED)


def test_what_is_held_is_let_go_when_damping_is_switched_off() -> None:
    state = State(UP)
    for now_s in (0, 20):
        state = see(see(state, monitor(), "-----", now_s), monitor(), "++", now_s + 10)
    assert state.shown is DOWN
    state = see(resumed(state), monitor(damping=False), "+", 40)
    assert (state.shown, state.unsettled(41)) == (UP, True)
    assert see(state, monitor(), "-----", 700).shown is DOWN
    assert see(see(state, monitor(), "-----", 700), monitor(), "++", 710).shown is UP
