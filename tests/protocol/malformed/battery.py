"""All cases."""

from __future__ import annotations

from . import edns, headers, junk, names, subnets, types
from .case import Case

MODULES = (headers, names, types, edns, subnets, junk)

CASES: tuple[Case, ...] = tuple(case for module in MODULES for case in module.cases())
