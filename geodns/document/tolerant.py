"""What else is wrong with what could not be read whole: every reason at once.

A resource with faults in its own fields is read without those fields, so that the rules that
span resources can be told of the rest. What they find only because something is missing here
is an echo of the first faults, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from geodns.document.resources import KINDS, Item, Key, collect, pointer, resources, section
from geodns.errors import ConfigError, Reason
from geodns.model.base import Resource, read
from geodns.model.config import Config

Judge = Callable[[Config], list[Reason]]
"""Every fault that spans fields or resources, as `check` gives it."""

_STAND_INS: dict[str, dict[str, Any]] = {"zone": {"nameservers": ["ns.invalid."]}}
"""Fields that keep a resource readable, so that what is filed under it can be judged.

Source: RFC 6761 section 6.4, no name server is ever called so.
"""


@dataclass(slots=True)
class Unread:
    """What was left out: resources by kind and key, and fields by their resource's pointer."""

    resources: set[tuple[str, Key]] = field(default_factory=set)
    fields: dict[str, set[str]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    """Pointers of resources with fields that do not exist: each may be a needed one misspelt."""
    kinds: set[str] = field(default_factory=set)
    """Kinds of which any resource may be missing."""

    def salvage(
        self, kind: str, key: Key, fields: object, faults: Iterable[Reason]
    ) -> Resource | None:
        """The resource without its faulty fields; ``faults`` point into it from its own root.

        Shape: None if it cannot be read even so.
        """
        at = pointer(kind, key)
        dropped = {_tokens(fault.pointer)[0] if fault.pointer else "" for fault in faults}
        self.fields[at] = dropped
        if any(fault.code == "unknown_field" for fault in faults):
            self.unknown.add(at)
        if isinstance(fields, dict):
            kept = {name: value for name, value in fields.items() if name not in dropped}
            try:
                return read(KINDS[kind], {**_STAND_INS.get(kind, {}), **kept})
            except ConfigError:
                pass
        self.resources.add((kind, key))
        return None


def further_faults(
    config: Callable[[], Config], faults: Collection[Reason], unread: Unread, judge: Judge
) -> list[Reason]:
    """What is found in all that could be read, besides the faults and their echoes."""
    try:
        items = resources(config())
        sound = collect(item for item in items if (item.kind, item.key) not in unread.resources)
        echoes = _Echoes(faults, unread)
        return [reason for reason in judge(sound) if not echoes.has(reason)]
    except Exception:
        # The rules are made for what was read whole. Whatever they stumble over here, the
        # author must still learn of the first faults.
        return []


def further_faults_of(
    kind: str,
    key: Key,
    fields: object,
    faults: Collection[Reason],
    config: Config,
    judge: Judge,
) -> list[Reason]:
    """The same for one resource that is to be put into a Config without faults.

    Shape: ``faults`` point into the resource, what is returned into the document.
    """
    unread = Unread()
    resource = unread.salvage(kind, key, fields, faults)
    if resource is None:
        return []
    after = [*resources(config), Item(kind, key, resource)]
    return further_faults(lambda: collect(after), [], unread, judge)


# --- Echoes ---

_PARTNERS: dict[str, set[str]] = {
    "ttl_min": {"ttl"},
    "min_answers": {"answers"},
    "timeout_s": {"interval_s"},
    "hi": set(),
}
"""What a bound between two fields of one resource rests on besides the field it is told of."""

_CHOICE = {"nodes", "select"}
_TELLING = {
    "zones": {"nameservers", "pool", "split", "rules"},
    "nodes": {"cname", "labels"},
    "pools": {*_CHOICE, "fallback"},
}
"""The fields that rules about other resources rest on, by section."""


_ALTERNATIVES = {
    "addresses": {"cname"},
    "pool": {"split"},
    "location": {"at"},
    "latency": {"order"},
}
"""What makes up for a field that is required otherwise."""

_NAMED_IN = {
    "monitor": "monitor",
    "of": "monitor",
    "fallback": "pool",
    "latency": "latency",
    "pools": "pool",
}
"""What kind a field names, where that is not a node."""


class _Echoes:
    """Tells what follows from the faults alone. When in doubt, it is an echo."""

    def __init__(self, faults: Collection[Reason], unread: Unread) -> None:
        self._unread = unread
        self._gone = {fault.pointer for fault in faults if fault.code != "unknown_field"}
        self._gone |= {f"{at}/{name}" for at, names in unread.fields.items() for name in names}
        loose = {at for at in self._gone if at and owner_of(at) not in unread.fields}
        self._doubtful = {_tokens(at)[0] for at in loose}
        self._doubtful |= set(map(section, unread.kinds))
        self._doubtful |= {_tokens(pointer(kind, key))[0] for kind, key in unread.resources}
        self._doubtful |= {
            section
            for section, telling in _TELLING.items()
            for at, names in unread.fields.items()
            if _within(at, f"/{section}") and (at in unread.unknown or names & telling)
        }

    def has(self, reason: Reason) -> bool:
        """Whether the reason may vanish once the faults are mended."""
        tokens = _tokens(reason.pointer)
        if any(at in self._gone for at in _above(reason.pointer)):
            return True
        if reason.code == "unknown_reference":
            return self._is_unread(reason, tokens)
        own = self._unread.fields.get(owner_of(reason.pointer), set())
        unknown = owner_of(reason.pointer) in self._unread.unknown
        members = "nodes" in self._doubtful
        match reason.code:
            case "required":
                # Who asks may still place a node that has no location.
                if tokens[0] == "nodes" and tokens[-1] == "location":
                    return True
                return unknown or bool(own & _ALTERNATIVES.get(tokens[-1], _CHOICE))
            case "meaningless" if tokens[-1] == "latency":
                return unknown or "order" in own
            case "out_of_range" if tokens[-1] == "answers":
                return unknown or members or bool(own & _CHOICE)
            case "out_of_range":
                return unknown or bool(own & _PARTNERS.get(tokens[-1], own))
            case "not_a_member":
                return unknown or members or bool(own & _CHOICE)
            case "glue_missing":
                return "zones" in self._doubtful
            case "contradiction" | "cname_conflict":
                return self._may_not_clash(tokens, bool(own & _CHOICE) or unknown)
        return False

    def _is_unread(self, reason: Reason, tokens: list[str]) -> bool:
        """Whether an unknown reference is to something that is only unread."""
        if tokens[0] == "zones":
            kind = "zone" if len(tokens) == 2 else "pool"
        else:
            field = tokens[3] if tokens[2] == "match" else tokens[2]
            kind = _NAMED_IN.get(field, "node")
        return kind in self._unread.kinds or (kind, (reason.value,)) in self._unread.resources

    def _may_not_clash(self, tokens: list[str], choice: bool) -> bool:
        """Names beside addresses: a matter of the pools' members, not of one value."""
        match tokens:
            case ["pools", _]:
                return choice or "nodes" in self._doubtful
            case ["zones", _, "steers", *_, "pool" | "split"] | ["zones", *_, "split", _]:
                return bool(self._doubtful & {"nodes", "pools"})
            case ["zones", *_, "values", _]:
                return bool(self._doubtful & {"zones", "nodes", "pools"})
        return False


def owner_of(at: str) -> str:
    """The pointer of the resource that a pointer leads into."""
    parts = at.split("/")
    if len(parts) < 2:
        return at
    length = 2
    if parts[1] == "zones" and len(parts) > 3:
        length = {"steers": 4, "rrsets": 5}.get(parts[3], 2)
    return "/".join(parts[: length + 1])


def _above(at: str) -> Iterable[str]:
    """The pointer itself and all it lies below."""
    while at:
        yield at
        at = at.rpartition("/")[0]
    yield ""


def _within(at: str, prefix: str) -> bool:
    return at == prefix or at.startswith(prefix + "/")


def _tokens(at: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in at.split("/")[1:]]
