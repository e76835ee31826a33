"""Overrides in the words: begun and ended by the wall clock, above verdicts that stay visible."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodns.health.board import Board
from geodns.health.overrides import RAMP_S, Overrides
from geodns.health.targets import Target
from geodns.snapshot.drains import Drain
from geodns.snapshot.overrides import Book, Rule
from geodns.snapshot.status import FULL_WEIGHT, Note, Override, Verdict, Word, create_table

START_MS = 1_800_000_000_000


class Desk:
    """Overrides whose clocks the test moves together, or the wall clock alone."""

    def __init__(self, path: Path) -> None:
        create_table(path, 8)
        self.path = path
        self.now_s = 1000.0
        self.stepped_ms = 0
        self.targets = [
            Target(slot=0, tag=7, address="192.0.2.0", monitor="web", nodes=("a",)),
            Target(slot=1, tag=8, address="192.0.2.1", monitor=None, nodes=("b",)),
        ]
        self.begin()

    def begin(self) -> None:
        """As a fresh process would."""
        self.board = Board(self.path, writable=True)
        self.overrides = Overrides(self.board, lambda: self.now_s, self.wall_ms)

    def wall_ms(self) -> int:
        return START_MS + round((self.now_s - 1000) * 1000) + self.stepped_ms

    def load(self, *rules: Rule, ttl: int = 30) -> None:
        ttls = {"a": ttl, "b": ttl}
        self.overrides.load(self.targets, Book(overrides=rules, sites={"fra": ("a",)}, ttls=ttls))
        for target in self.targets:
            self.board.show(target.slot, target.tag, Verdict.UP, False, Note(reason="HTTP 200"))

    def run(self, seconds: float) -> Word:
        for _ in range(round(seconds * 4)):
            self.now_s += 0.25
            self.overrides.sweep(self.now_s)
        return self.word()

    def word(self, slot: int = 0) -> Word:
        return self.board.word(slot, self.targets[slot].tag)


def rule(
    state: str = "down",
    rank: int = 3,
    begins_s: float | None = None,
    ends_s: float | None = None,
    nodes: tuple[str, ...] = ("a",),
    rule_id: str = "works",
) -> Rule:
    def at_ms(seconds: float | None) -> int | None:
        return None if seconds is None else START_MS + round(seconds * 1000)

    return Rule(
        id=rule_id,
        state=state,
        rank=rank,
        reason="works",
        nodes=nodes,
        from_ms=at_ms(begins_s),
        until_ms=at_ms(ends_s),
    )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "status")


def test_an_override_leaves_the_verdict_beneath_it(desk: Desk) -> None:
    desk.load(rule())
    assert (desk.word().override, desk.word().verdict) == (Override.DOWN, Verdict.UP)
    assert desk.board.note(0).reason == "HTTP 200"
    desk.board.show(0, 7, Verdict.DOWN, True, Note(reason="HTTP 503"))
    assert (desk.word().override, desk.word().verdict) == (Override.DOWN, Verdict.DOWN)


def test_a_target_that_nobody_probes_can_be_held(desk: Desk) -> None:
    desk.load(rule(nodes=("b",)))
    assert desk.word(1).override is Override.DOWN
    assert desk.word(0).override is Override.NONE


def test_ttls_are_short_for_one_ttl_before_and_after_a_drain_begins(desk: Desk) -> None:
    desk.load(rule(begins_s=60), ttl=20)
    assert not desk.run(39).unsettled
    word = desk.run(2)
    assert (word.unsettled, word.override) == (True, Override.NONE)
    word = desk.run(20)
    assert (word.unsettled, word.override) == (True, Override.DOWN)
    assert not desk.run(20).unsettled


def test_a_drain_without_a_beginning_lowers_ttls_at_once(desk: Desk) -> None:
    desk.load(rule(), ttl=20)
    assert desk.word().unsettled
    assert not desk.run(21).unsettled


def test_after_a_drain_the_weight_grows_in_steps(desk: Desk) -> None:
    desk.load(rule(ends_s=10))
    word = desk.run(10.25)
    assert word.override is Override.NONE
    assert 0 < word.weight_factor < FULL_WEIGHT / 4
    weights = [desk.run(1).weight_factor for _ in range(int(RAMP_S))]
    assert weights == sorted(weights)
    assert len(set(weights)) > 30
    assert weights[-1] == FULL_WEIGHT


def test_a_drain_that_is_removed_ramps_too_over_the_slow_start_of_the_pool(desk: Desk) -> None:
    desk.targets[0] = desk.targets[0].model_copy(update={"slow_start_s": 10})
    desk.load(rule())
    desk.run(1)
    desk.overrides.load(desk.targets, Book())
    assert desk.word().weight_factor < FULL_WEIGHT
    assert desk.run(11).weight_factor == FULL_WEIGHT


@pytest.mark.parametrize(
    ("rules", "held"),
    [
        ([rule("up", 3), rule("down", 2, rule_id="b")], Override.UP),
        ([rule("down", 1), rule("up", 2, rule_id="b")], Override.UP),
        ([rule("up", 2), rule("down", 2, rule_id="b")], Override.DOWN),
        ([rule("down", 3, ends_s=-1), rule("up", 1, rule_id="b")], Override.UP),
    ],
)
def test_the_most_specific_wins_and_down_beats_up(
    desk: Desk, rules: list[Rule], held: Override
) -> None:
    desk.load(*rules)
    assert desk.word().override is held


def test_overrides_follow_a_wall_clock_that_steps(desk: Desk) -> None:
    desk.load(rule(begins_s=3600))
    desk.stepped_ms = 3_600_000
    assert desk.run(0.5).override is Override.DOWN
    desk.stepped_ms = 0
    assert desk.run(0.5).override is Override.NONE
    assert desk.word().verdict is Verdict.UP


def test_the_file_of_drains_holds_nodes_and_sites(desk: Desk) -> None:
    desk.load()
    desk.overrides.drain((Drain(site="fra", reason="heat"),))
    assert desk.word().override is Override.DOWN
    desk.overrides.drain(())
    assert desk.word().override is Override.NONE


def test_the_file_lifts_what_the_generation_drains(desk: Desk) -> None:
    desk.load(rule(rule_id="drain-node-a"))
    desk.overrides.drain((Drain(node="a", reason="undrain", lifted=True),))
    assert desk.word().override is Override.NONE


def test_a_new_process_goes_on_with_what_holds_and_lets_the_rest_go_gently(desk: Desk) -> None:
    desk.load(rule(), rule(nodes=("b",), rule_id="other"))
    desk.begin()
    desk.load(rule())
    assert (desk.word().override, desk.word().verdict) == (Override.DOWN, Verdict.UP)
    assert desk.word(1).override is Override.NONE
    assert desk.word(1).weight_factor < FULL_WEIGHT


def test_a_slot_dealt_to_another_target_is_not_held(desk: Desk) -> None:
    desk.load(rule())
    fresh = desk.targets[0].model_copy(update={"tag": 9, "nodes": ("c",)})
    desk.targets[0] = fresh
    desk.load(rule())
    assert desk.word() == Word(9, Verdict.UP)


def test_what_does_not_change_leaves_the_epoch_alone(desk: Desk) -> None:
    desk.load(rule(begins_s=0, ends_s=1000))
    desk.run(60)
    epoch = desk.board.epoch
    desk.run(5)
    assert desk.board.epoch == epoch
