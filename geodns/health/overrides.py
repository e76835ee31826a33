"""Puts what operators say into the words: overrides of the generation, and the file of drains.

They follow the wall clock: when it steps, they begin and end by the new time. Verdicts are not
touched, so that the real state stays visible beneath.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from geodns.health import ramp
from geodns.health.board import NO_RULING, Board, Ruling
from geodns.health.journal import Journal, Record, What
from geodns.health.leases import Leases
from geodns.health.shed import shed
from geodns.health.targets import Target
from geodns.snapshot.drains import Drain, rules
from geodns.snapshot.overrides import STATES, Book, Rule, holders, is_on
from geodns.snapshot.status import FULL_WEIGHT, Override, Verdict

STEP_S = 0.1
"""How often the clock is looked at. Source: no reference; overrides last minutes."""

RAMP_S = 60.0
"""How long a node's weight grows after a drain, where its pool has no slow start. Source: no
reference; caches and connections warm within a minute."""

Slot = tuple[int, int]
"""A word's place and its owner's tag."""

log = logging.getLogger("geodns.health")


class Overrides:
    """All overrides of one health process. Belongs to one event loop.

    Shape: ``clock`` never steps, ``wall_ms`` is what the overrides' instants are compared with.
    """

    def __init__(
        self,
        board: Board,
        clock: Callable[[], float],
        wall_ms: Callable[[], int],
        journal: Journal | None = None,
    ) -> None:
        self._board = board
        self._clock = clock
        self._wall_ms = wall_ms
        self._book = Book()
        self._drains: tuple[Drain, ...] = ()
        self._rules: tuple[Rule, ...] = ()
        self._targets: dict[str, list[Target]] = {}
        self._rulings: dict[Slot, Ruling] = {}
        self._ramps: dict[Slot, tuple[float, float]] = {}
        """When the weight began to grow, and over how many seconds."""
        self._begun_ms: dict[str, int] = {}
        self._leads_ms: dict[str, int] = {}
        """Of each rule, the longest TTL of the steers concerned."""
        self._phases: list[tuple[bool, bool]] = []
        self._looked_s = clock()
        self._journal = journal
        self.leases = Leases()
        self._changed = False

    def load(self, targets: Iterable[Target], book: Book) -> None:
        """Take over a generation's targets and overrides."""
        first, self._book = not self._targets, book
        self._targets = {}
        for target in targets:
            for node_id in target.nodes:
                self._targets.setdefault(node_id, []).append(target)
        if first:
            self._take_over()
        self.leases.load(book.leases, self._clock())
        self._renew()

    def drain(self, drains: tuple[Drain, ...]) -> None:
        """Take over what the file of drains says now."""
        self._drains = drains
        self._renew()

    def beat(self, node_id: str, load: float | None) -> None:
        """A node shows that it lives, and how busy it is."""
        self._changed |= self.leases.beat(node_id, load, self._clock())

    def holder(self, target: Target) -> Rule | None:
        """What holds a target now, if anything does."""
        held = holders(self._rules, self._wall_ms())
        return next((held[node_id] for node_id in target.nodes if node_id in held), None)

    def sweep(self, now_s: float) -> None:
        """See what time alone has changed."""
        if now_s - self._looked_s < STEP_S:
            return
        self._looked_s = now_s
        changed = self.leases.sweep(now_s) or self._changed
        self._changed = False
        if changed or self._ramps or self._phases != self._phases_at(self._wall_ms()):
            self._apply()

    def _take_over(self) -> None:
        """Know what a process before this one has held, so that it is let go gently."""
        for target in self._each():
            word = self._board.word(target.slot, target.tag)
            if word.override is not Override.NONE:
                self._rulings[target.slot, target.tag] = Ruling(word.override)

    def _renew(self) -> None:
        self._rules = rules(self._book, self._drains)
        ttls = self._book.ttls
        self._leads_ms = {
            rule.id: 1000 * max((ttls.get(node_id, 0) for node_id in rule.nodes), default=0)
            for rule in self._rules
        }
        self._begun_ms = {i: at for i, at in self._begun_ms.items() if i in self._leads_ms}
        self._apply()

    def _apply(self) -> None:
        now_ms, now_s = self._wall_ms(), self._clock()
        self._phases = self._phases_at(now_ms)
        held, hurried = holders(self._rules, now_ms), self._unsettled(now_ms)
        leases = self.leases
        concerned = held.keys() | hurried | leases.lapsed.keys() | leases.loads.keys()
        wanted: dict[Slot, Ruling] = {}
        for target in self._of(concerned):
            ruling = Ruling(
                _common(held, target),
                any(node_id in hurried for node_id in target.nodes),
                shed=_shed(leases.loads, target),
                lapsed=_lapsed(leases.lapsed, target),
            )
            if ruling != NO_RULING:
                wanted[target.slot, target.tag] = ruling
        some = self._rulings or self._ramps or wanted
        alive = {(t.slot, t.tag): t for t in self._each()} if some else {}
        for slot, before in self._rulings.items():
            after = wanted.get(slot, NO_RULING)
            freed = before.override is Override.DOWN and after.override is Override.NONE
            if freed and slot in alive and slot not in self._ramps:
                self._ramps[slot] = now_s, alive[slot].slow_start_s or RAMP_S
        self._grow(wanted, alive, now_s)
        self._write(wanted, alive)

    def _grow(self, wanted: dict[Slot, Ruling], alive: dict[Slot, Target], now_s: float) -> None:
        """Give what comes back from a drain its weight by and by."""
        for slot, (since_s, over_s) in list(self._ramps.items()):
            ruling = wanted.get(slot, NO_RULING)
            factor = ramp.factor(int(now_s - since_s), over_s)
            if factor == FULL_WEIGHT or slot not in alive or ruling.override is not Override.NONE:
                del self._ramps[slot]
            else:
                wanted[slot] = replace(ruling, factor=factor)

    def _write(self, wanted: dict[Slot, Ruling], alive: dict[Slot, Target]) -> None:
        for slot in self._rulings.keys() - wanted.keys():
            if slot in alive:  # else another may own the word already
                self._rule(alive[slot], NO_RULING)
            else:
                self._board.forget(slot[0])
        for target in alive.values():
            slot = target.slot, target.tag
            if slot in wanted and self._rulings.get(slot) != wanted[slot]:
                self._rule(target, wanted[slot])
        self._rulings = wanted

    def _rule(self, target: Target, ruling: Ruling) -> None:
        slot = target.slot, target.tag
        before, known = self._board.word(*slot), self._rulings.get(slot, NO_RULING)
        self._board.rule(*slot, ruling)
        if known.override is not ruling.override:
            log.info("%s: override %s", target, ruling.override.name.lower())
        if known.lapsed != ruling.lapsed:
            reason = ruling.lapsed or "heard of again"
            log.info("%s: %s", target, reason)
            self._record(target, before.verdict, self._board.word(*slot).verdict, reason)

    def _record(self, target: Target, before: Verdict, after: Verdict, reason: str) -> None:
        if self._journal is None or before is after:
            return
        where = target.slot, target.tag, target.address, target.monitor or ""
        record = Record(self._wall_ms(), What.TRANSITION, reason, *where, before, after)
        self._journal.write(record)

    def _unsettled(self, now_ms: int) -> set[str]:
        """Nodes to be drained soon, or drained so lately that caches still know them."""
        hurried = (rule.nodes for rule in self._rules if self._is_hurried(rule, now_ms))
        return {node_id for nodes in hurried for node_id in nodes}

    def _is_hurried(self, rule: Rule, now_ms: int) -> bool:
        """Whether a drain is within one TTL of its beginning."""
        if rule.state != "down" or _is_over(rule, now_ms):
            return False
        at_ms, lead_ms = self._began_ms(rule, now_ms), self._leads_ms[rule.id]
        return at_ms - lead_ms <= now_ms < at_ms + lead_ms

    def _began_ms(self, rule: Rule, now_ms: int) -> int:
        if rule.from_ms is not None:
            return rule.from_ms
        return self._begun_ms.setdefault(rule.id, now_ms)

    def _phases_at(self, now_ms: int) -> list[tuple[bool, bool]]:
        """What each rule does at a moment; the same list as before: nothing has changed."""
        return [(is_on(rule, now_ms), self._is_hurried(rule, now_ms)) for rule in self._rules]

    def _each(self) -> Iterable[Target]:
        return self._of(self._targets)

    def _of(self, nodes: Iterable[str]) -> Iterable[Target]:
        return (target for node_id in nodes for target in self._targets.get(node_id, ()))


def _is_over(rule: Rule, now_ms: int) -> bool:
    return rule.until_ms is not None and now_ms >= rule.until_ms


def _common(held: dict[str, Rule], target: Target) -> Override:
    """What holds a target that several nodes may share: none, unless all are held alike."""
    states = {held[node_id].state if node_id in held else "" for node_id in target.nodes}
    return STATES.get(states.pop(), Override.NONE) if len(states) == 1 else Override.NONE


def _lapsed(lapsed: dict[str, str], target: Target) -> str:
    """Why a target is down for want of signs of life; a node that shares it keeps it up."""
    if not target.nodes or not all(node_id in lapsed for node_id in target.nodes):
        return ""
    return lapsed[target.nodes[0]]


def _shed(loads: dict[str, float], target: Target) -> int:
    if target.shed is None:
        return 0
    busiest = max((loads[each] for each in target.nodes if each in loads), default=None)
    return shed(busiest, target.shed.lo, target.shed.hi)
