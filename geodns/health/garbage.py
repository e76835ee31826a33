"""Python's collector of cyclic garbage, kept from going through the whole fleet again and again."""

from __future__ import annotations

import gc

MANY = 1000
"""So many new watches are worth it. Source: measured, a collection takes 0.03 ms for each, and
one of 10,000 held up every check for 270 ms."""


def spare(newcomers: int) -> None:
    """After so many watches have been made: they are here to stay, look through them no more.

    What is given up of them is still freed at once, for it is in no cycle.
    """
    if newcomers < MANY:
        return
    gc.unfreeze()  # what was in cycles before goes now
    gc.collect()
    gc.freeze()
