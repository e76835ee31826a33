"""The numbers that the compiler writes into sections and the engines read from them."""

from __future__ import annotations

NO_STEER = 0xFFFF_FFFF
"""In a zone's ``steer`` column: this RRset is static."""

CUT, WILDCARD_CHILD, REDIRECT = 1, 2, 4
"""Owner flags: a delegation starts here; ``*`` exists right below; a DNAME is here."""

ZONE_BARRIERS, ZONE_WHOAMI = 1, 2
"""Zone flags: it has cuts or DNAMEs; everybody may ask `_whoami`."""

STEER_ECS = 1
"""Steer flag: the client subnet counts."""

SPECIAL_CLASS = 0xFFFF_FFFF
"""The class of special-purpose blocks: who comes from there is steered by resolver."""

LOOK_ON = 0xFFFF_FFFE
"""In an overlay: what ``class_of`` says of the location holds."""

NO_GROUP = 0xFFFF_FFFF
"""In ``row_group``: every place of the pool may answer."""

DEGREE_SCALE = 10_000
"""Coordinates stand as (degrees + 180) times this, unsigned."""

POINT_SCALE = 2**28
"""Coordinates on the unit sphere stand as (x + 1) times this: units of 2.4 cm, whose squared
distances are below 2^60."""

POOL_PARAMS = ("order", "spread", "answers", "min_answers", "min_up", "near", "open", "sticky")
"""The items of the pools' ``param`` column, in order, for each pool."""

ORDERS = ("nearest", "listed", "equal", "latency")
"""What the ``order`` parameter counts."""

SPREADS = ("first", "weighted", "sticky")
"""What the ``spread`` parameter counts."""
