"""Large documents are made without the collector, which is back afterwards, whatever happens."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import suppress

import pytest

from geodns.document.collector import making_many, undisturbed


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


class Node:
    """Something that may be in a cycle."""


def test_the_collector_rests_inside_and_is_back_afterwards() -> None:
    with undisturbed():
        with undisturbed():
            assert not gc.isenabled()
        assert not gc.isenabled(), "not before the last one is out"
    assert gc.isenabled()


def test_what_was_made_is_not_gone_through_again_and_is_freed_when_given_up() -> None:
    @making_many
    def made() -> Node:
        return Node()

    node = made()
    reference = weakref.ref(node)
    assert not any(each is node for each in gc.get_objects()), "it is among the frozen"
    del node
    assert reference() is None


def test_after_an_error_what_was_made_is_left_to_the_collector() -> None:
    references = []

    @making_many
    def failing() -> None:
        node = Node()
        node.own = node  # type: ignore[attr-defined]
        references.append(weakref.ref(node))
        raise ValueError

    with suppress(ValueError):
        failing()
    assert gc.isenabled()
    gc.collect()
    assert references[0]() is None
