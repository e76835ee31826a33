"""Where geodns and others differ on purpose, each with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import dns.name
import dns.rdatatype

from differential.compare import DNAME, Seen
from differential.questions import Question
from differential.worlds import World

CHAIN_MAX = 9
"""Aliases that geodns follows (`geodns.engine.lookup`)."""

SECTIONS = frozenset({"answer", "authority", "additional"})


@dataclass(frozen=True)
class Case:
    """One question, and what was said to it."""

    world: World
    question: Question
    ours: Seen
    theirs: Seen

    def names(self) -> list[dns.name.Name]:
        """The name asked for and all that aliases make of it."""
        return [self.question.name, *self.ours.path(self.question.name)]


@dataclass(frozen=True)
class Explained:
    """Shape: ``parts`` of the replies that may differ where ``holds`` is true."""

    name: str
    reason: str
    makers: tuple[str, ...]
    parts: frozenset[str]
    holds: Callable[[Case], bool]


def _adds_addresses(case: Case) -> bool:
    added = case.theirs.additional - case.ours.additional
    wanted = {"A", "AAAA", "CNAME", "SVCB", "HTTPS"}
    kept = case.ours.additional <= case.theirs.additional
    return (
        bool(case.theirs.answer)
        and kept
        and {dns.rdatatype.to_text(t) for _, t, *_ in added} <= wanted
    )


def _glue_by_wildcard(case: Case) -> bool:
    added = case.theirs.additional - case.ours.additional
    cuts = {owner for owner, rtype, *_ in case.theirs.authority if rtype == dns.rdatatype.NS}
    referring = [case.world.home(cut.parent()) for cut in cuts]
    written = any(zone and owner in zone.held for owner, *_ in added for zone in referring)
    return bool(cuts) and case.ours.additional <= case.theirs.additional and not written


def _stops_at_its_dname(case: Case) -> bool:
    *_, end = (case.question.name, *case.theirs.path(case.question.name))
    again = any(t == DNAME and end.is_subdomain(o) for o, t, *_ in case.theirs.answer)
    return again and case.theirs.answer <= case.ours.answer


def _is_ds_of_lost_zone(case: Case) -> bool:
    lost = [zone.apex for zone in case.world.lost_zones()]
    return case.question.rtype == "DS" and case.names()[-1] in lost


def _exists_in_another_zone(case: Case) -> bool:
    """Whether a name asked for, or one above it, exists in another zone but not in its own."""
    for name in case.names():
        home = case.world.home(name)
        while home is not None and name != home.apex:
            if not home.exists(name) and any(zone.exists(name) for zone in case.world.zones):
                return True
            name = name.parent()
    return False


EXPLAINED = (
    Explained(
        "adds addresses of names in the answer",
        "We keep replies small: outside referrals, addresses in the additional section are a "
        "courtesy (RFC 1035 section 3.3; RFC 9460 section 4.1 SHOULD) that resolvers do not trust.",
        ("knot", "nsd"),
        frozenset({"additional"}),
        _adds_addresses,
    ),
    Explained(
        "makes glue of a wildcard",
        "A wildcard below a cut is not data of the zone (RFC 4592 section 2.2.1), so no server's "
        "address; and one beside the cut makes no glue, for its names can be asked for.",
        ("knot", "nsd"),
        frozenset({"additional"}),
        _glue_by_wildcard,
    ),
    Explained(
        "stops where a DNAME redirects its own target",
        "A DNAME to a name below itself makes ever longer names. We follow until the chain is "
        "too long, or the name (RFC 6672 section 2.2, YXDOMAIN); NSD stops at the second pass, "
        "Knot some passes later. RFC 6672 section 3.2 leaves it to the server.",
        ("knot", "nsd"),
        SECTIONS | {"rcode"},
        _stops_at_its_dname,
    ),
    Explained(
        "looks for DS of a zone in a parent that does not delegate it",
        "DS belongs to the parent (RFC 4035 section 3.1.4.1), but where our zone above has no "
        "such name, its NXDOMAIN would deny all of the zone that we do serve (RFC 8020), and a "
        "referral would lose it; we answer NODATA from the zone itself.",
        ("knot", "nsd"),
        SECTIONS | {"rcode", "aa"},
        _is_ds_of_lost_zone,
    ),
    Explained(
        "takes names of one zone for names of another",
        "NSD keeps all zones in one tree, so that data a parent zone holds below its child's apex, "
        "or a child zone that the parent does not delegate, make names exist in both. By RFC 4592 "
        "section 2.2.2 only the zone's own data does; Knot agrees.",
        ("nsd",),
        SECTIONS | {"rcode"},
        _exists_in_another_zone,
    ),
)
