"""A view's section: from an address to a class, from a class to destination, arms and rows."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import Any

import pytest

from geodns.engine.intervals import Intervals, locator_of
from geodns.engine.views import ViewTable
from geodns.errors import ConfigError
from geodns.geo.scope import scope_of
from geodns.snapshot.layout import LOOK_ON, NO_GROUP, SPECIAL_CLASS
from geodns.snapshot.section import Kind, Section, encode
from geodns.steering.tables import TIER_START, WHOLE

Columns = dict[str, Any]

WEB, EU, CANARY = 11, 22, 33
"""Keys of the pools; the first has 3 places, the others 1 and 40."""

PLACES = {WEB: 3, EU: 1, CANARY: 40}

TIER = TIER_START


def block(text: str) -> int:
    """An IPv4 address from the first octets of it."""
    octets = [int(part) for part in text.split(".")]
    return int.from_bytes(bytes(octets).ljust(4, b"\0"), "big")


def intervals(prefix: str, four: dict[str, int], six: dict[int, int]) -> Columns:
    """The six columns of a table; starts of IPv4 as first octets, of IPv6 as upper 64 bits."""
    starts4 = array("I", map(block, four))
    starts6 = array("Q", six)
    return {
        f"{prefix}start4": starts4,
        f"{prefix}value4": array("I", four.values()),
        f"{prefix}index4": index(starts4, 16),
        f"{prefix}start6": starts6,
        f"{prefix}value6": array("I", six.values()),
        f"{prefix}index6": index(starts6, 48),
    }


def index(starts: array[int], shift: int) -> array[int]:
    counts = [bisect_right(starts, head << shift) for head in range(65_536)]
    return array("I", [*counts, len(starts)])


GEO = Section(encode(Kind.GEO, intervals("", {"0": 0, "1": 2, "2": 3, "3": 0}, {0: 0, 1 << 60: 2})))
"""1.0.0.0/8 and 1000::/4 are location 2, 2.0.0.0/8 is 3, all else is unknown."""


def view(**columns: object) -> Section:
    """A rule for EU, with the catch-all's WEB behind it, and a split of WEB and CANARY."""
    made: Columns = {
        "class_of": array("I", [7, SPECIAL_CLASS, 0, 3]),
        "pool": array("Q", [EU, WEB, CANARY]),
        "arm_at": array("I", [0, 1, 3]),
        "arm_key": array("Q", [EU, WEB, CANARY]),
        "arm_weight": array("I", [1, 95, 5]),
        "step_at": array("I", [0, 2, 3, 5]),
        "step": array("I", [0, 1, 1, 2, 1]),
        "bits4": array("I", [0, 20]),
        "bits6": array("I", [0, 40]),
        "record": array("I", [0, 0, 1, 1, 2, 3, 1, 1, 1, 4, 1]),
        "classes": array("I", [3]),
        "unknown": array("I", [7]),
        "row_at": array("I", [0, 1, 4, 6, 7, 7]),
        "row": array("I", [TIER | WHOLE, TIER, 1, TIER | 2, TIER | WHOLE | 2, TIER, TIER | 39]),
        "row_group": array("I", [NO_GROUP, NO_GROUP, NO_GROUP, 0, NO_GROUP]),
        "group_at": array("I", [0, 2]),
        "group": array("I", [1 << 31, 1 << 7]),
        "about": b'{"rules": ["geos EU27 fence", ""], "scopes": {"v4": 3, "v6": 2}}',
        **columns,
    }
    return Section(encode(Kind.VIEW, {name: made[name] for name in made if made[name] is not None}))


def table(**columns: object) -> ViewTable:
    return ViewTable(view(**columns), Intervals(GEO))


# --- Classes and scopes ---


def test_an_indirect_view_gives_each_location_its_class() -> None:
    locate = table().locate
    assert locate.find4(block("1.2.3.4")) == (0, 8)
    assert locate.find4(block("2.2.3.4")) == (3, 8)
    assert locate.find4(block("9.2.3.4")) == (7, 5)
    assert locate.find6(1 << 60) == (0, 4)


OVER = intervals(
    "over_",
    {"0": LOOK_ON, "1.2.3": 7, "1.2.4": LOOK_ON, "10": SPECIAL_CLASS, "11": LOOK_ON},
    {0: LOOK_ON, 0x1000_0000_0000_0001: 3, 0x1000_0000_0000_0002: LOOK_ON},
)


def test_an_overlay_tells_what_locations_cannot_and_looks_on_elsewhere() -> None:
    locate = table(**OVER).locate
    assert locate.find4(block("1.2.3.4")) == (7, 24)
    assert locate.find4(block("1.2.4.4")) == (0, 22)  # 1.2.3.0 is another class
    assert locate.find4(block("1.3.0.0")) == (0, 16)
    assert locate.find4(block("1.128.0.0")) == (0, 9)
    assert locate.find4(block("2.2.3.4")) == (3, 8)  # GEO's is longer than the overlay's /7
    assert locate.find4(block("10.2.3.4")) == (SPECIAL_CLASS, 8)
    assert locate.find6(0x1000_0000_0000_0001) == (3, 64)
    assert locate.find6(0x1000_0000_0000_0000) == (0, 64)
    assert locate.find6(0x1800_0000_0000_0000) == (0, 5)


def test_scopes_of_an_overlay_never_hold_two_classes() -> None:
    locate = table(**OVER).locate
    starts = sorted({*map(block, ("0", "1", "1.2.3", "1.2.4", "2", "3", "10", "11"))})
    for start in starts:
        for address in (start, start - 1, start + 255):
            if address < 0:
                continue
            number, scope = locate.find4(address)
            low = address >> 32 - scope << 32 - scope
            high = low + (1 << 32 - scope)
            inside = [low, high - 1, *(s for s in starts if low <= s < high)]
            assert {locate.find4(each)[0] for each in inside} == {number}
            assert scope <= scope_of(address, low, high, 32) <= 32


def test_a_direct_view_has_intervals_of_its_own() -> None:
    own = intervals("", {"0": 7, "1.2": 0, "1.3": 7}, {0: 3})
    locate = table(class_of=None, **own).locate
    assert locate.find4(block("1.2.3.4")) == (0, 16)
    assert locate.find6(5) == (3, 0)


def test_a_view_without_any_table_is_refused() -> None:
    with pytest.raises(ConfigError, match="start4"):
        locator_of(view(class_of=None), Intervals(GEO))


# --- Destinations, arms, rows ---


def test_a_class_leads_to_its_destination_and_its_arms_to_their_rows() -> None:
    made = table()
    rule, rest = made.destinations
    assert [made.destinations[made.record[number]] for number in (0, 3, 7)] == [rule, rest, rest]
    assert (rule.is_split, rest.is_split) == (False, True)
    assert [arm.pools for arm in rest.arms] == [(WEB,), (CANARY, WEB)]
    assert [(list(items), group) for items, group in made.rows(0, rule.arms[0])] == [
        ([TIER | WHOLE], None),
        ([TIER, 1, TIER | 2], None),
    ]
    stable, canary = rest.arms
    assert [list(items) for items, _ in made.rows(3, stable)] == [[TIER | WHOLE | 2, TIER]]
    (first, group), (second, _) = made.rows(3, canary)
    assert (list(first), list(group or ())) == ([TIER | 39], [1 << 31, 1 << 7])
    assert list(second) == [TIER, 1, TIER | 2]
    assert [list(items) for items, _ in made.rows(7, canary)] == [[], [TIER, 1, TIER | 2]]


def test_without_groups_every_place_may_answer() -> None:
    made = table(row_group=None, group_at=None, group=None)
    made.check(PLACES)
    assert all(group is None for arm in made.destinations[1].arms for _, group in made.rows(3, arm))


def test_arms_of_weight_0_are_never_drawn() -> None:
    _, rest = table(arm_weight=array("I", [1, 0, 5])).destinations
    assert (rest.is_split, rest.only) == (False, 1)
    assert {rest.draw(base) for base in range(50)} == {1}


def test_the_arm_of_a_user_follows_the_weights() -> None:
    _, rest = table().destinations
    drawn = [rest.draw(base << 40) for base in range(4000)]
    assert 120 < sum(drawn) < 290  # 5 % of 4,000, within 5 sigma


def test_about_tells_rules_and_scopes() -> None:
    assert table().about()["rules"] == ["geos EU27 fence", ""]


def test_a_whole_view_passes_its_check() -> None:
    table().check(PLACES)
    table(**OVER).check(PLACES)


@pytest.mark.parametrize(
    ("column", "items"),
    [
        ("record", array("I", [0, 0, 1])),  # classes are missing
        ("record", array("I", [0, 0, 1, 1, 2, 3, 1, 1, 1, 4])),  # the last is cut short
        ("record", array("I", [0, 0, 1, 1, 2, 3, 1, 9, 1, 4, 1])),  # no such destination
        ("record", array("I", [0, 0, 9, 1, 2, 3, 1, 1, 1, 4, 1])),  # no such row
        ("record", array("I")),
        ("unknown", array("I", [1])),  # within a record
        ("classes", array("I", [4])),
        ("row", array("I", [TIER | WHOLE, TIER, 1, TIER | 3, TIER | WHOLE | 2, TIER, TIER | 39])),
        ("row_group", array("I", [0])),
        ("row_group", array("I", [NO_GROUP, NO_GROUP, NO_GROUP, 7, NO_GROUP])),
        ("group_at", array("I", [0, 1])),  # 40 places need two words
        ("pool", array("Q", [EU, WEB])),
        ("step", array("I", [0, 1])),
        ("step_at", array("I", [0, 2, 2, 5])),  # an arm without a pool
        ("arm_at", array("I", [0, 0, 3])),  # a destination without an arm
        ("arm_key", array("Q", [EU])),
        ("bits4", array("I")),
    ],
)
def test_a_view_that_contradicts_itself_is_refused(column: str, items: array[int]) -> None:
    with pytest.raises((ConfigError, IndexError, KeyError)):  # Generation makes them one
        table(**{column: items}).check(PLACES)
