"""What is told of one resource is worked out once, and forgotten with it."""

from __future__ import annotations

import gc

from geodns.document.remember import once
from geodns.model.network import Network


def test_each_object_is_judged_once_and_another_of_the_same_content_again() -> None:
    asked: list[Network] = []

    @once
    def size(network: Network) -> int:
        asked.append(network)
        return len(network.subnets)

    first, twin = (Network(subnets=("10.0.0.0/8",), at="FRA") for _ in range(2))
    assert [size(first), size(first), size(twin)] == [1, 1, 1]
    assert len(asked) == 2
    assert asked[0] is first


def test_what_is_gone_is_not_taken_for_what_came_in_its_place() -> None:
    @once
    def at(network: Network) -> str | None:
        return network.at

    for number in range(200):  # the allocator gives the same places again and again
        network = Network(subnets=("10.0.0.0/8",), at=f"N{number}")
        assert at(network) == f"N{number}"
        del network
        gc.collect(0)
