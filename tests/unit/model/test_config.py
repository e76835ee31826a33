"""Where the users of each rule go: arms, chains, fences."""

from __future__ import annotations

from geodns.model.config import Arm, Config, Destination
from geodns.model.pool import Pool
from geodns.model.rule import Rule
from geodns.model.zone import Steer

CONFIG = Config(
    pools={
        "web": Pool(nodes=("a",), fallback="last"),
        "eu": Pool(nodes=("a",)),
        "canary": Pool(nodes=("a",), fallback="web"),
        "last": Pool(nodes=("a",)),
    }
)


def rule(**fields: object) -> Rule:
    return Rule(geos=("EU",), **fields)  # type: ignore[arg-type]


def test_without_rules_there_is_one_destination_with_one_arm() -> None:
    assert CONFIG.destinations(Steer(pool="web")) == (
        Destination(None, (Arm("web", 1, ("web", "last")),)),
    )


def test_a_rule_goes_on_with_the_catch_alls_chain_unless_it_is_fenced() -> None:
    open_, fenced = rule(pool="eu"), rule(pool="eu", fence=True)
    found = CONFIG.destinations(Steer(pool="web", rules=(open_, fenced)))
    assert found == (
        Destination(open_, (Arm("eu", 1, ("eu", "web", "last")),)),
        Destination(fenced, (Arm("eu", 1, ("eu",)),)),
        Destination(None, (Arm("web", 1, ("web", "last")),)),
    )


def test_each_arm_of_a_split_has_its_own_chain() -> None:
    (found,) = CONFIG.destinations(Steer(split={"last": 95, "canary": 0}))
    assert found.arms == (Arm("last", 95, ("last",)), Arm("canary", 0, ("canary", "web", "last")))


def test_a_rule_goes_on_with_all_arms_of_the_catch_alls_split_in_its_order() -> None:
    steer = Steer(split={"canary": 5, "eu": 95}, rules=(rule(split={"web": 1, "eu": 2}),))
    first, _ = CONFIG.destinations(steer)
    assert first.arms == (
        Arm("web", 1, ("web", "last", "canary", "eu")),
        Arm("eu", 2, ("eu", "canary", "web", "last")),
    )


def test_the_pools_of_a_steer_are_all_that_may_answer_for_it() -> None:
    steer = Steer(pool="eu", rules=(rule(pool="canary", fence=True),))
    assert CONFIG.steer_pools(steer) == ("canary", "web", "last", "eu")


def test_what_does_not_exist_ends_a_chain() -> None:
    assert CONFIG.destinations(Steer(pool="nope"))[0].arms == (Arm("nope", 1, ()),)
    assert CONFIG.destinations(Steer())[0].arms == ()
