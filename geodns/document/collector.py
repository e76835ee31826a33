"""Python's collector of cyclic garbage, kept from going through large documents.

A document of 100,000 resources is a million objects, none of them in a cycle. Going through
them takes the collector half a second each time, in which every other thread waits.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_lock = Lock()
_inside = 0


@contextmanager
def undisturbed() -> Iterator[None]:
    """Make many objects that are here to stay; the collector never looks through them.

    What is given up of them is still freed at once, for it is in no cycle. Only what becomes
    cyclic garbage meanwhile, which is little, is never freed. After an error, whose traceback
    may hold all of them in a cycle, they are left to the collector.
    """
    global _inside
    with _lock:
        if not _inside:
            gc.collect()
            gc.disable()
        _inside += 1
    try:
        yield
        gc.freeze()
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                gc.enable()


def making_many(work: Callable[P, T]) -> Callable[P, T]:
    """A function that is `undisturbed`."""

    @wraps(work)
    def made(*args: P.args, **kwargs: P.kwargs) -> T:
        with undisturbed():
            return work(*args, **kwargs)

    return made
