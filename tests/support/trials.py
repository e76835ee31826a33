"""Random lives of targets and random votes: the product against the oracle, step by step."""

from __future__ import annotations

import random

from geodns.health.doubt import Sight, cleared_s, to_blame
from geodns.health.quorum import Policy, Vote, decide
from geodns.health.verdict import State, fallen, launched, observed, recheck_due_s, resumed
from geodns.model.monitor import Monitor
from geodns.snapshot.status import Verdict
from support import health_oracle as oracle

STEPS = 150


def live(seed: int) -> int:
    """One target's life of STEPS events; returns how many observations it held.

    Errors: AssertionError at the first difference.
    """
    dice = random.Random(seed)
    rise, recheck = dice.randint(1, 3), dice.randint(0, 4)
    hold_s, interval_s = dice.choice([0, 16]), dice.choice([1, 4])
    fields = {"rise": rise, "recheck": recheck, "hold_s": hold_s, "interval_s": interval_s}
    rules = Monitor.model_validate({"type": "tcp", "port": 1} | fields)
    model, state = oracle.Target(rise, recheck, hold_s, interval_s), State()
    under_way: dict[int, int] = {}
    failing = dice.choice([0.2, 0.5, 0.9])
    step_s = dice.choice([0.25, 2, 16])
    now_s, observations = 0.0, 0
    for number in range(STEPS):
        now_s += step_s * dice.randint(0, 4)
        room = state.burst is None or state.condemned or recheck_due_s(state, rules) is not None
        if state.condemned and dice.random() < 0.7:
            state = fallen(state, rules, now_s)
            model.vouch(now_s)
        elif dice.random() < 0.01:
            state = resumed(state)
            model.again()
        elif room and (not under_way or dice.random() < 0.5):
            state = launched(state, now_s)
            under_way[number] = state.epoch
            model.launch(number)
        elif under_way:
            probe = dice.choice(list(under_way))
            passed = dice.random() > failing
            state = observed(state, rules, under_way.pop(probe), passed, now_s)
            model.observe(probe, passed, now_s)
            observations += 1
        if dice.random() < 0.05:
            failing = dice.choice([0.0, 0.5, 1.0])
        seen = state.shown.name.lower(), state.condemned, state.unsettled(now_s)
        wanted = model.shown(), model.condemned, model.unsettled(now_s)
        assert seen == wanted, f"seed {seed}, event {number}: {seen}, not {wanted}"
    return observations


def vote(seed: int) -> int:
    """A round of votes under every rule; returns how many decisions were compared."""
    dice = random.Random(seed)
    votes = [
        Vote(f"v{number}", dice.choice(list(Verdict)), dice.choice([5.0, 10.0, 15.0]))
        for number in range(dice.randint(0, 7))
    ]
    plain = [(vote.verdict.name.lower(), vote.until_s) for vote in votes]
    last, quorum = dice.choice(list(Verdict)), dice.randint(0, 4)
    share = dice.choice([0.0, 0.18, 0.5, 0.99])
    for rule in ("majority", "share", "any", "all"):
        seen = decide(votes, Policy(rule, quorum, share), last, 10.0)
        wanted = oracle.outcome(plain, rule, quorum, share, last.name.lower(), 10.0)
        assert seen.name.lower() == wanted, f"seed {seed}, {rule}: {seen.name}, not {wanted}"
    return 4


def doubt(seed: int) -> int:
    """What a fleet and its canaries look like: whose fault is it? Returns 2."""
    dice = random.Random(seed)
    passing = dice.choice([0.0, 0.1, 0.5, 0.9])
    sites = dice.randint(1, 6)

    def sights(most: int, share: float) -> list[Sight]:
        return [
            Sight(dice.randint(0, 9), dice.random() < share, f"s{dice.randrange(sites)}")
            for _ in range(dice.randint(0, most))
        ]

    targets, canaries = sights(14, passing), sights(3, dice.choice([0.0, 0.2]))
    plain = [[(s.started_s, s.passed, s.site) for s in each] for each in (targets, canaries)]
    since_s = dice.randint(0, 9)
    seen = to_blame(targets, canaries, since_s), cleared_s(targets, canaries)
    wanted = oracle.to_blame(*plain, since_s), oracle.cleared_s(*plain)
    assert seen == wanted, f"seed {seed}: {seen}, not {wanted}"
    return 2
