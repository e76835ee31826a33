"""The state machine of one target, by example and against a naive model."""

from __future__ import annotations

import random

import pytest

from geodns.health.verdict import State, launched, observed, recheck_due_s, resumed
from geodns.model.monitor import Monitor
from geodns.snapshot.status import Verdict

UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN


def monitor(**fields: object) -> Monitor:
    settings = {"type": "tcp", "port": 1, "interval_s": 5.0, "recheck": 4, "rise": 2}
    return Monitor.model_validate(settings | fields)


def see(state: State, rules: Monitor, results: str, now_s: float = 0.0) -> State:
    """Launch and observe one probe per letter: + passed, - failed."""
    for result in results:
        state = launched(state, now_s)
        state = observed(state, rules, state.epoch, result == "+", now_s)
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


class Naive:
    """The rules told again from the whole history, with lists only."""

    def __init__(self, rise: int, recheck: int, hold_s: float, interval_s: float) -> None:
        self.rise, self.recheck, self.hold_s = rise, recheck, hold_s
        self.interval_s = interval_s
        self.verdict = "unknown"
        self.bursting = False
        self.members: list[int] = []
        self.failed: list[int] = []
        self.results_since_fall: list[bool] = []
        self.fell_s = 0.0
        self.unrest: list[tuple[float, float]] = []

    def launch(self, probe: int) -> None:
        self.members.append(probe)

    def observe(self, probe: int, passed: bool, now_s: float) -> None:
        if probe not in self.members:
            return
        if self.verdict == "down":
            self._while_down(passed, now_s)
        elif passed:
            if self.bursting:
                self.unrest.append((now_s, now_s + self.interval_s))
                self._new_round(bursting=False)
            self.verdict = "up"
        elif self.bursting:
            self.failed.append(probe)
            if len(self.failed) == self.recheck:
                self._fall(now_s)
        elif self.recheck == 0:
            self._fall(now_s)
        else:
            self._new_round(bursting=True)

    def _while_down(self, passed: bool, now_s: float) -> None:
        self.results_since_fall.append(passed)
        last = self.results_since_fall[-self.rise :]
        if len(last) == self.rise and all(last) and now_s >= self.fell_s + self.hold_s:
            self.verdict = "up"
            self.unrest.append((now_s, now_s + 3 * self.interval_s))
            self._new_round(bursting=False)

    def _fall(self, now_s: float) -> None:
        self.verdict, self.fell_s, self.results_since_fall = "down", now_s, []
        self.unrest.append((now_s, now_s + 3 * self.interval_s))
        self._new_round(bursting=False)

    def _new_round(self, *, bursting: bool) -> None:
        self.bursting, self.members, self.failed = bursting, [], []

    def unsettled(self, now_s: float) -> bool:
        return self.bursting or any(start <= now_s < end for start, end in self.unrest)


@pytest.mark.parametrize("seed", range(200))
def test_random_observations_read_as_the_naive_model_reads_them(seed: int) -> None:
    dice = random.Random(seed)
    rise, recheck = dice.randint(1, 3), dice.randint(0, 4)
    hold_s, interval_s = dice.choice([0, 16]), dice.choice([1, 4])
    rules = monitor(rise=rise, recheck=recheck, hold_s=hold_s, interval_s=interval_s)
    naive, state = Naive(rise, recheck, hold_s, interval_s), State()
    under_way: dict[int, int] = {}
    share_failing = dice.choice([0.2, 0.5, 0.9])
    for number in range(150):
        now_s = number / 4
        room = state.burst is None or state.burst.launched < recheck
        if room and (not under_way or dice.random() < 0.5):
            state = launched(state, now_s)
            under_way[number] = state.epoch
            naive.launch(number)
        elif under_way:
            probe = dice.choice(list(under_way))
            passed = dice.random() > share_failing
            state = observed(state, rules, under_way.pop(probe), passed, now_s)
            naive.observe(probe, passed, now_s)
        assert state.verdict.name.lower() == naive.verdict
        assert state.unsettled(now_s) == naive.unsettled(now_s)
