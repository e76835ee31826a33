"""Which nodes may answer: the chain walked step by step (FORMAT.md, "Choosing")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address

from support.interpreter.draws import LOAD, USER_BITS, key_of, mix, mix64, user
from support.interpreter.matching import Body, members

FULL = 255
CNAME = 0


@dataclass(frozen=True)
class Health:
    """What is known of a target; ``foreign``: the word is another's."""

    verdict: str = "unknown"  # unknown, up, down
    override: str = "none"  # none, up, down
    factor: int = FULL
    unsettled: bool = False
    shed: int = 0
    foreign: bool = False


PLAIN = Health()
Healths = Mapping[tuple[str, str | None], Health]
"""By address or name, and monitor."""

Passed = Set[tuple[str, str]]
"""Pool and node of the members that send the user away."""


@dataclass(frozen=True)
class Candidate:
    """A node that may answer, with its weight and addresses."""

    node: str
    weight: int
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """A pool of a chain, and its tiers of nodes for one person."""

    pool_id: str
    tiers: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Decision:
    """What is left before nodes are drawn. No pool: nothing was found."""

    pool_id: str | None = None
    tiers: tuple[tuple[Candidate, ...], ...] = ()
    settled: bool = True
    failing_open: bool = False


Walked = tuple[str, list[Sequence[str]], bool]
"""The pool that answers, its tiers, and whether all is settled."""


class Chooser:
    """One document at one moment."""

    def __init__(self, document: Body, healths: Healths) -> None:
        self.document = document
        self.pools: Body = document["pools"]
        self.nodes: Body = document["nodes"]
        self.healths = healths

    def decide(
        self, chain: Sequence[Link], family: int, salt: int, value: int, version: int
    ) -> Decision:
        """Steps 1 to 6, and load: it is asked until nobody more sends the user away."""
        base = mix(mix(salt, LOAD), user(value, version, USER_BITS[version]))
        passed: set[tuple[str, str]] = set()
        while True:
            decision, sheds = self._decide_once(chain, family, passed)
            gone = {
                (pool, node)
                for pool, node, share in sheds
                if share == 65_535 or mix64(base ^ key_of(node)) >> 48 < share
            }
            if not gone:
                return decision
            passed |= gone

    def _decide_once(
        self, chain: Sequence[Link], family: int, passed: Passed
    ) -> tuple[Decision, list[tuple[str, str, int]]]:
        near = self.pools[chain[0].pool_id].get("families", "near") == "near"
        leading = [4, 6] if family == 6 and near else [family]
        for leader in leading:
            found = self._walk(chain, leader, passed)
            if found:
                return self._decision(found, family, passed), self._sheds(found, passed)
            found = self._walk(chain, leader, frozenset()) if passed else None
            if found:
                return self._decision(found, family, frozenset()), []
        if self.pools[chain[0].pool_id].get("all_down", "open") == "open":
            for leader in leading:
                for link in chain:
                    tiers = self._tiers(link, leader, frozenset(), ignoring=True)
                    if tiers:
                        opened = (link.pool_id, [link.tiers[at] for at in tiers], False)
                        return self._decision(opened, family, frozenset(), failing_open=True), []
        return Decision(), []

    def _walk(self, chain: Sequence[Link], family: int, passed: Passed) -> Walked | None:
        """Step 3: the first usable pool, then as if every min_up was 1."""
        over: list[str] = []
        for relaxed in (False, True):
            for link in chain:
                if not link.tiers:
                    continue  # its row is empty
                everybody = members(self.document, link.pool_id)
                least = 1 if relaxed else self.pools[link.pool_id].get("min_up", 1)
                up = sum(self._is_up(link.pool_id, node) for node in everybody)
                tiers = self._tiers(link, family, passed, ignoring=False) if up >= least else []
                if tiers:
                    behind = [node for tier in link.tiers[: tiers[0] + 1] for node in tier]
                    settled = not any(
                        self._unsettled(pool, node)
                        for pool in over
                        for node in members(self.document, pool)
                    ) and not any(self._unsettled(link.pool_id, node) for node in behind)
                    return link.pool_id, [link.tiers[at] for at in tiers], settled
                over.append(link.pool_id)
        return None

    def _tiers(self, link: Link, family: int, passed: Passed, *, ignoring: bool) -> list[int]:
        """The deciding tier, and as many behind it as ``min_answers`` needs."""
        wanted = self.pools[link.pool_id].get("min_answers", 1)
        found: list[int] = []
        count = 0
        for at, tier in enumerate(link.tiers):
            here = len(self._candidates(link.pool_id, tier, family, passed, ignoring=ignoring))
            if here and (not found or count < wanted):
                found.append(at)
                count += here
        return found

    def _decision(
        self, found: Walked, family: int, passed: Passed, *, failing_open: bool = False
    ) -> Decision:
        pool_id, nodes, settled = found
        tiers = [
            tuple(self._candidates(pool_id, tier, family, passed, ignoring=failing_open))
            for tier in nodes
        ]
        left = tuple(tier for tier in tiers if tier)
        return Decision(pool_id, left, settled and not failing_open, failing_open)

    def _sheds(self, found: Walked, passed: Passed) -> list[tuple[str, str, int]]:
        pool_id, tiers, _ = found
        shares = []
        for node in (node for tier in tiers for node in tier):
            if self.nodes[node].get("shed") is None or (pool_id, node) in passed:
                continue
            healths = [h for h in self._healths(pool_id, node, None) if usable(h)]
            share = max((0 if h.foreign else h.shed for h in healths), default=0)
            if share:
                shares.append((pool_id, node, share))
        return shares

    def _candidates(
        self, pool_id: str, tier: Sequence[str], family: int, passed: Passed, *, ignoring: bool
    ) -> list[Candidate]:
        found = []
        for node in tier:
            if (pool_id, node) in passed:
                continue
            texts = self._texts(node, family)
            healths = self._healths(pool_id, node, family)
            good = [i for i, health in enumerate(healths) if usable(health, ignoring=ignoring)]
            if good:
                factor = max(FULL if healths[i].foreign else healths[i].factor for i in good)
                weight = self._weight(pool_id, node) * factor
                found.append(Candidate(node, weight, tuple(texts[i] for i in good)))
        positive = [candidate for candidate in found if candidate.weight > 0]
        return positive or [Candidate(c.node, 1, c.addresses) for c in found]

    def _weight(self, pool_id: str, node: str) -> int:
        weights = self.pools[pool_id].get("weights", {})
        return int(weights.get(node, self.nodes[node].get("weight", 100)))

    def _texts(self, node: str, family: int | None) -> list[str]:
        body = self.nodes[node]
        names = [body["cname"]] if "cname" in body else []
        if family == CNAME:
            return names
        addresses = list(body.get("addresses", ()))
        if family is None:
            return addresses + names
        return [text for text in addresses if version_of(text) == family]

    def _healths(self, pool_id: str, node: str, family: int | None) -> list[Health]:
        monitor = self.pools[pool_id].get("monitor")
        return [self.healths.get((text, monitor), PLAIN) for text in self._texts(node, family)]

    def _is_up(self, pool_id: str, node: str) -> bool:
        return any(usable(health) for health in self._healths(pool_id, node, None))

    def _unsettled(self, pool_id: str, node: str) -> bool:
        healths = self._healths(pool_id, node, None)
        return any(health.unsettled and not health.foreign for health in healths)

    def has_family(self, chain: Sequence[Link], family: int) -> bool:
        """Whether any member of a chain's pools has addresses of a family at all."""
        pools = [link.pool_id for link in chain]
        return any(self._texts(n, family) for p in pools for n in members(self.document, p))


@cache
def version_of(text: str) -> int:
    """An address's IP version."""
    return ip_address(text).version


def usable(health: Health, *, ignoring: bool = False) -> bool:
    """Whether a target may answer: overrides before verdicts, unknown is up."""
    if health.foreign:
        return True
    if health.override != "none":
        return health.override == "up"
    return ignoring or health.verdict != "down"
