"""Questions to the product and to the interpreter: every answer must be the same."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from support.interpreter import Answer, Geography, Health, Interpreter, Question, Undecided

from differential.oracle.documents import Setting, make_setting
from differential.oracle.product import Product, Refused
from differential.oracle.wire import Reply, query, read

ZONE = "e.test"
STATES = 5
"""States of health that each document is asked in."""
DIFFERENCES_SHOWN = 5
RESOLVERS = [
    "1.2.3.4", "9.9.9.9", "10.1.2.3", "100.63.200.1", "80.0.1.2", "2a00::1", "2a00:1::7", "fe80::1",
    "::ffff:1.2.9.9", "64:ff9b::102:304", "64:ff9b:0:1::1", "2002:102:304::1",
    "2001:0:102:304::fefd:fcfb", "::1",
]  # fmt: skip

Healths = Mapping[tuple[str, str | None], Health]


@dataclass
class Outcome:
    """What a comparison came to."""

    asked: int = 0
    settings: int = 0
    refused: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


def play(seed: int, count: int, outcome: Outcome) -> None:
    """Ask ``count`` questions of one seed's document."""
    setting = make_setting(seed)
    with tempfile.TemporaryDirectory() as directory:
        try:
            product = Product(
                Path(directory),
                setting.document,
                setting.geo,
                setting.asns,
                setting.default,
                setting.distrusted,
                direct=setting.direct,
            )
        except Refused:
            outcome.refused += 1
            return
        outcome.settings += 1
        Match(setting, product, outcome).ask(count)


class Match:
    """One document, asked in several states of health."""

    def __init__(self, setting: Setting, product: Product, outcome: Outcome) -> None:
        self.setting, self.product, self.outcome = setting, product, outcome
        self.r = random.Random(setting.seed)
        document = setting.document
        (zone,) = document["zones"].values()
        self.owners = list(zone["steers"])
        self.geography = Geography(setting.geo, setting.asns, document["networks"])
        self.oracle = Interpreter(
            document,
            self.geography,
            product.salts(self.owners, ZONE),
            setting.default,
            setting.distrusted,
        )

    def ask(self, count: int) -> None:
        """So many questions, some of them neighbours within the scope of another's answer."""
        left = count
        for state in range(STATES):
            self.healths = healths(self.r, self.product, state)
            self.product.set(self.healths)
            while left > count * (STATES - 1 - state) // STATES:
                left -= 1
                question = self._question()
                answer = self._compare(question)
                if answer is not None and answer.by_ecs and self.r.random() < 0.3:
                    left -= 1
                    self._ask_neighbour(question, answer)
                if len(self.outcome.differences) >= DIFFERENCES_SHOWN:
                    return

    def _ask_neighbour(self, question: Question, answer: Answer) -> None:
        """Somebody else within the scope gets the same, but for a weighted draw."""
        neighbour = within(self.r, question, self._scope)
        other = self._compare(neighbour)
        if other is None:
            return
        self.outcome.kinds["neighbour"] += 1
        if (other.settled, other.ttl) != (answer.settled, answer.ttl):
            self._differ(question, f"scope /{self._scope} is too wide: {neighbour} gets {other}")

    def _compare(self, question: Question) -> Answer | None:
        """The interpreter's answer, compared; None if it is undecided."""
        self.outcome.asked += 1
        try:
            answer = self.oracle.answer(question, self.healths)
        except Undecided:
            self.outcome.kinds["undecided"] += 1
            return None
        reply = read(self.product.ask(query(question, ZONE), question.resolver))
        self._scope = reply.scope or 0
        told = list(self._wrong(question, answer, reply))
        if told:
            self._differ(question, f"{'; '.join(told)}\n   reply {reply}\n   asked for {answer}")
        self._count(question, answer)
        return answer

    def _wrong(self, question: Question, answer: Answer, reply: Reply) -> Iterator[str]:
        if reply.rcode or reply.truncated:
            yield "rcode"
        if reply.addresses != answer.addresses:
            yield "addresses"
        if reply.ttls != {answer.ttl}:
            yield "ttl"
        if (reply.ede or "").split(":")[0] not in answer.edes:
            yield "ede"
        if question.subnet is None:
            return
        if self.setting.direct and reply.scope != answer.scope:
            yield "scope is not the widest"
        elif (reply.scope or 0) < answer.scope:
            yield "scope is too wide"

    def _differ(self, question: Question, told: str) -> None:
        setting = self.setting
        self.outcome.differences.append(f"seed {setting.seed}: {question}\n   {told}")

    def _count(self, question: Question, answer: Answer) -> None:
        kinds = self.outcome.kinds
        kinds["by subnet" if answer.by_ecs else "by resolver"] += 1
        kinds[question.rtype] += 1
        if answer.edes[0]:
            kinds[answer.edes[0]] += 1
        if not answer.addresses:
            kinds["no data"] += 1
        if len(answer.addresses) > 1:
            kinds["several addresses"] += 1

    def _question(self) -> Question:
        r = self.r
        owner = r.choice(self.owners)
        subnet = None
        if r.random() < 0.9:
            family = r.choice([4, 4, 6])
            subnet = subnet_of(r, self.oracle.views[owner].edges[family], family)
        rtype, resolver = r.choice(["A", "A", "AAAA"]), r.choice(RESOLVERS)
        return Question(owner, rtype, resolver, subnet, r.getrandbits(16))


def subnet_of(r: random.Random, edges: list[int], family: int) -> tuple[str, int]:
    """A client subnet near where something begins or ends, or within an address that embeds
    another."""
    value = (r.choice(edges) + r.choice([-1, 0, 0, 1, r.getrandbits(12)])) % (
        1 << max(32, family // 6 * 64)
    )
    if family == 4:
        return cut(value, 4, r.choice([32, 24, 24, r.randint(0, 32)]))
    whole = value << 64 | r.getrandbits(64)
    if r.random() < 0.25:
        four = r.choice([0x01020304, 0x0A000001, 0x50000102, 0x643FFFFF, r.getrandbits(32)])
        whole = r.choice([
            0xFFFF << 32 | four,
            0x64FF9B << 96 | four,
            0x2002 << 112 | four << 80 | r.getrandbits(80),
            0x2001 << 112 | r.getrandbits(64) << 32 | four ^ 0xFFFFFFFF,
        ])  # fmt: skip
        return cut(whole, 6, r.choice([128, 128, 64, 48, r.randint(0, 128)]))
    return cut(whole, 6, r.choice([56, 56, 48, 64, 128, r.randint(0, 128)]))


def cut(value: int, family: int, length: int) -> tuple[str, int]:
    """A network's address and length."""
    drop = (32 if family == 4 else 128) - length
    value = value >> drop << drop
    octets = value.to_bytes(4 if family == 4 else 16, "big")
    return str(ip_address(octets)), length


def within(r: random.Random, question: Question, scope: int) -> Question:
    """Another question from within the scope of a reply."""
    assert question.subnet is not None
    address = ip_address(question.subnet[0])
    bits = address.max_prefixlen
    low = int(address) >> bits - scope << bits - scope
    other = low | r.getrandbits(bits) >> scope
    subnet = cut(other, address.version, bits)
    return Question(question.owner, question.rtype, question.resolver, subnet, question.message_id)


def healths(r: random.Random, product: Product, state: int) -> Healths:
    """A state of health: at first nothing is known, later ever more is down."""
    if state == 0:
        return {}
    down = r.choice([0.05, 0.3, 0.8, 1.0])
    return {target: _health(r, down) for target in product.slots if r.random() < 0.95}


def _health(r: random.Random, down: float) -> Health:
    return Health(
        "down" if r.random() < down else r.choice(["up", "unknown"]),
        r.choice(["none"] * 8 + ["up", "down"]),
        r.choice([255, 255, 255, 0, 1, 128]),
        r.random() < 0.1,
        r.choice([0, 0, 0, 20_000, 65_535]),
        r.random() < 0.05,
    )
