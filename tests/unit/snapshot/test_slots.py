"""Slots stay with their targets, and are taken again only when nobody can be looking."""

from __future__ import annotations

from typing import Any

import pytest

from geodns.errors import ConfigError
from geodns.model.config import Config
from geodns.model.node import Location, Node, Shed
from geodns.snapshot.section import Kind, Section, encode
from geodns.snapshot.slots import Slots, decode_targets


def generation(
    number: int,
    addresses: list[str],
    before: dict[str, Any] | None = None,
    *,
    acknowledged: int = 0,
    capacity: int = 4,
) -> dict[str, Any]:
    slots = Slots(capacity, number, before, acknowledged)
    for address in addresses:
        slots.take(address, "web", f"node-{address}", Node())
    return decode_targets(Section(slots.encode(Config())))


def places(content: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {t["address"]: (t["slot"], t["tag"]) for t in content["targets"]}


def test_a_target_keeps_its_slot_and_tag_from_generation_to_generation() -> None:
    content = generation(1, ["a", "b"])
    first = places(content)
    for number in range(2, 6):
        content = generation(number, ["b", "a", "c"][: number % 2 + 2], content)
        assert {a: places(content)[a] for a in first} == first


def test_every_target_has_a_slot_of_its_own_and_a_tag_that_is_not_zero() -> None:
    content = generation(1, ["a", "b", "c", "d"])
    assert sorted(slot for slot, _ in places(content).values()) == [0, 1, 2, 3]
    assert all(0 < tag < 2**32 for _, tag in places(content).values())


def test_one_address_under_two_monitors_is_two_targets() -> None:
    slots = Slots(4, 1)
    one, other = slots.take("a", "web", "n", Node()), slots.take("a", None, "n", Node())
    assert one[0] != other[0]
    assert slots.take("a", "web", "m", Node()) == one
    (target, _) = decode_targets(Section(slots.encode(Config())))["targets"]
    assert target["nodes"] == ["n", "m"]


def test_a_slot_is_taken_again_only_after_every_worker_is_past_it() -> None:
    first = generation(1, ["a", "b", "c", "d"])
    freed = places(first)["a"][0]
    second = generation(2, ["b", "c", "d"], first, acknowledged=1)
    with pytest.raises(ConfigError, match="More than 4 targets"):
        generation(3, ["b", "c", "d", "e"], second, acknowledged=1)
    third = generation(3, ["b", "c", "d", "e"], second, acknowledged=2)
    assert places(third)["e"][0] == freed
    assert places(third)["e"][1] != places(first)["a"][1]


def test_a_slot_given_up_stays_known_until_it_is_taken() -> None:
    content = generation(1, ["a", "b", "c", "d"])
    content = generation(2, ["d"], content)
    for number in range(3, 6):
        content = generation(number, ["d"], content, acknowledged=number - 1)
    content = generation(6, ["d", "x", "y", "z"], content, acknowledged=5)
    assert sorted(slot for slot, _ in places(content).values()) == [0, 1, 2, 3]


def test_a_target_that_comes_back_has_another_tag() -> None:
    first = generation(1, ["a"])
    third = generation(3, ["a"], generation(2, [], first), acknowledged=2)
    assert places(third)["a"][1] != places(first)["a"][1]


def test_a_full_table_is_refused_with_the_setting_to_raise() -> None:
    with pytest.raises(ConfigError, match="status_slots"):
        generation(1, ["a", "b", "c", "d", "e"])


def test_in_a_smaller_table_all_slots_are_given_out_anew() -> None:
    first = generation(1, list("abcdef"), capacity=8)
    second = generation(2, list("ef"), first, capacity=2)
    assert sorted(slot for slot, _ in places(second).values()) == [0, 1]
    tags = {tag for _, tag in places(first).values()}
    assert not tags & {tag for _, tag in places(second).values()}


@pytest.mark.parametrize("octets", [b"", b"[]", b"1", b"\xff", b"{", b"[" * 100_000])
def test_a_targets_section_of_anything_else_is_refused(octets: bytes) -> None:
    with pytest.raises(ConfigError):
        decode_targets(Section(encode(Kind.TARGETS, {"json": octets})))


def test_the_site_of_a_node_is_its_label_else_its_place() -> None:
    nodes = {
        "a": Node(addresses=("192.0.2.1",), labels={"site": "fra"}),
        "b": Node(addresses=("192.0.2.2",), location=Location(lat=50.1109, lon=8.6821)),
        "c": Node(addresses=("192.0.2.3",)),
        "d": Node(addresses=("192.0.2.4",), labels={"site": "unwatched"}),
    }
    slots = Slots(4, 1)
    for node_id in "abc":
        slots.take(nodes[node_id].addresses[0], "web", node_id, nodes[node_id])
    content = decode_targets(Section(slots.encode(Config(nodes=nodes))))
    assert content["sites"] == {"a": "fra", "b": "50.111,8.682"}


def test_a_target_tells_the_loads_from_which_its_node_sends_users_away() -> None:
    slots = Slots(4, 1)
    slots.take("192.0.2.1", "web", "calm", Node())
    slots.take("192.0.2.2", "web", "busy", Node(shed=Shed(lo=0.7, hi=0.9)))
    targets = decode_targets(Section(slots.encode(Config())))["targets"]
    assert [target["shed"] for target in targets] == [None, {"lo": 0.7, "hi": 0.9}]
