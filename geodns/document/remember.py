"""What is told of one resource is worked out once, for as long as the resource lives.

Every write judges the whole Config again, and nearly all of it is the same objects as before.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from geodns.model.base import Resource

R = TypeVar("R", bound=Resource)
T = TypeVar("T")


def once(judge: Callable[[R], T]) -> Callable[[R], T]:
    """A pure function of one resource, asked once for each object."""
    known: dict[int, tuple[weakref.ref[R], T]] = {}

    @wraps(judge)
    def judged(resource: R) -> T:
        # By identity: resources compare by content, which takes as long as to judge them.
        name = id(resource)
        found = known.get(name)
        if found is None or found[0]() is not resource:
            reference = weakref.ref(resource, lambda _: known.pop(name, None))
            found = known[name] = reference, judge(resource)
        return found[1]

    return judged
