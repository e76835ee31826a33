"""From a Config to sections: what is made anew, what is kept, and what views promise."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from pathlib import Path

import pytest
from support.build import BERLIN, NEW_YORK, PARIS, ROME, config, node, zone
from support.lab import NOW_S, Lab, question, scope_of

from geodns.errors import Unavailable
from geodns.geo.world import World
from geodns.model.config import Config
from geodns.snapshot.compile import Compiler
from geodns.snapshot.layout import SPECIAL_CLASS
from geodns.snapshot.manifest import SNAPSHOT_DIR, Manifest
from geodns.snapshot.order import Order
from geodns.snapshot.section import Kind, Section

NODES = {
    "rome": node(ROME, "198.18.0.1", "2001:db8::1"),
    "paris": node(PARIS, "198.18.0.2"),
    "york": node(NEW_YORK, "198.18.0.3", weight=50),
}
POOL = {"nodes": ["rome", "paris", "york"]}


def sample(ttl: int = 300, nodes: object = None, **pool: object) -> Config:
    return config(
        {
            "a.test": zone({"www": "web"}, {"mail": {"A": ["192.0.2.1"]}}),
            "b.test": zone({"www": "web"}, ttl=ttl),
        },
        nodes or NODES,  # type: ignore[arg-type]
        {"web": POOL | pool},
    )


class Clock:
    """Unix time in the test's hand."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(tmp_path: Path, tiny_world: World, clock: Clock) -> Callable[..., Manifest]:
    compiler = Compiler(tmp_path, tiny_world, clock)

    def compile_(config: Config, before: Manifest | None = None, **order: int) -> Manifest:
        generation = before.generation + 1 if before else 1
        return compiler.compile(Order(config, generation, **order), before)  # type: ignore[arg-type]

    return compile_


def hashes(manifest: Manifest) -> dict[str, str]:
    """The hash of each section by "kind name"; of a view, of which there is one, by "view"."""
    return {
        "view" if e.kind == Kind.VIEW else f"{Kind(e.kind).name.lower()} {e.name}": e.hash
        for e in manifest.sections
    }


def changed(before: Manifest, after: Manifest) -> set[str]:
    old, new = hashes(before), hashes(after)
    return {name for name in new if old.get(name) != new[name]}


def serial(directory: Path, manifest: Manifest, zone_id: str) -> int:
    entry = next(e for e in manifest.sections if (e.kind, e.name) == (Kind.ZONE, zone_id))
    return int(Section((directory / SNAPSHOT_DIR / entry.hash).read_bytes()).column("serial")[0])


Make = Callable[..., Manifest]


def test_the_same_config_makes_the_same_sections(make: Make) -> None:
    first = make(sample())
    assert make(sample(), first).sections == first.sections


def test_a_changed_zone_changes_alone(make: Make, tmp_path: Path, clock: Clock) -> None:
    first = make(sample())
    clock.now_s += 100
    second = make(sample(ttl=60), first)
    assert changed(first, second) == {"zone b.test"}
    assert serial(tmp_path, second, "a.test") == NOW_S
    assert serial(tmp_path, second, "b.test") == NOW_S + 100


def test_nothing_is_made_anew_when_the_same_is_listed_in_another_order(
    make: Callable[..., Manifest], clock: Clock
) -> None:
    one = zone({"www": "web", "app": "web"}, {"mail": {"TXT": ["b"], "A": ["192.0.2.1"]}, "b": {}})
    two = zone({"app": "web", "www": "web"}, {"b": {}, "mail": {"A": ["192.0.2.1"], "TXT": ["b"]}})
    backwards = dict(reversed(NODES.items()))
    first = make(config({"a.test": one, "b.test": zone()}, NODES, {"web": POOL}))
    clock.now_s += 100
    second = make(config({"b.test": zone(), "a.test": two}, backwards, {"web": POOL}), first)
    assert changed(first, second) == set()


def test_a_serial_grows_within_a_second_and_when_the_clock_runs_back(
    make: Make, tmp_path: Path, clock: Clock
) -> None:
    manifest, seen = make(sample(ttl=1)), []
    for ttl, step in ((2, 0), (3, 0), (4, -3600), (5, 7200)):
        clock.now_s += step
        manifest = make(sample(ttl=ttl), manifest)
        seen.append(serial(tmp_path, manifest, "b.test") - int(NOW_S))
    assert seen == [1, 2, 3, 3600]


def test_a_nodes_address_changes_no_zone_and_no_view(make: Make) -> None:
    first = make(sample())
    moved = NODES | {"rome": node(ROME, "198.18.0.9")}
    assert changed(first, make(sample(nodes=moved), first)) == {"pools pools", "targets targets"}


def test_a_nodes_weight_changes_no_view(make: Make) -> None:
    first = make(sample())
    heavier = NODES | {"york": node(NEW_YORK, "198.18.0.3", weight=51)}
    assert changed(first, make(sample(nodes=heavier), first)) == {"pools pools"}


def test_a_node_that_moves_changes_the_view(make: Make) -> None:
    first = make(sample())
    moved = NODES | {"rome": node(BERLIN, "198.18.0.1", "2001:db8::1")}
    # The targets tell where nodes stand.
    expected = {"pools pools", "targets targets", "view"}
    assert changed(first, make(sample(nodes=moved), first)) == expected


def test_zones_steered_by_one_chain_share_one_view(make: Make) -> None:
    manifest = make(sample())
    assert [e.kind for e in manifest.sections].count(Kind.VIEW) == 1


def test_a_section_that_is_lost_is_made_again(make: Make, tmp_path: Path) -> None:
    first = make(sample())
    for entry in first.sections:
        (tmp_path / SNAPSHOT_DIR / entry.hash).unlink()
        again = make(sample(), first)
        assert (tmp_path / SNAPSHOT_DIR / again.sections[0].hash).exists()
        for made in again.sections:
            assert (tmp_path / SNAPSHOT_DIR / made.hash).exists()


def test_a_directory_that_cannot_be_written_is_said_to_be(
    tiny_world: World, tmp_path: Path
) -> None:
    (tmp_path / SNAPSHOT_DIR).write_text("in the way")
    with pytest.raises(Unavailable, match="cannot be written"):
        Compiler(tmp_path, tiny_world).compile(Order(sample(), 1), None)


# --- Views ---

POOLS = {
    "web": POOL | {"fallback": "far", "band_km": 10},
    "far": {"nodes": ["york", "rome"], "order": "listed"},
    "even": {"nodes": ["york", "rome"], "order": "equal"},
}


def lab(tmp_path: Path, world: World, budget: int) -> Lab:
    zones = {"a.test": zone({"www": "web", "far": "far", "even": "even"})}
    made = config(zones, NODES, POOLS)
    return Lab(tmp_path, world, made, view_budget=budget)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, world: World) -> tuple[Lab, Lab]:
    directory = tmp_path_factory.mktemp
    return lab(directory("direct"), world, 2**40), lab(directory("indirect"), world, 0)


def test_the_budget_decides_which_views_are_direct(both: tuple[Lab, Lab]) -> None:
    for made, column in zip(both, ("start4", "class_of"), strict=True):
        assert made.manifest is not None
        views = [e for e in made.manifest.sections if e.kind == Kind.VIEW]
        assert len(views) == 3
        for entry in views:
            assert len(Section(made.fetch(entry)).column(column))


def random_subnets(seed: int, count: int) -> list[str]:
    random_ = random.Random(seed)
    found = []
    for _ in range(count // 2):
        found.append(f"{random_.randrange(1, 224)}.{random_.randrange(256)}."
                     f"{random_.randrange(256)}.0/24")  # fmt: skip
        found.append(f"2{random_.randrange(0x1000):03x}:{random_.randrange(0x10000):x}:"
                     f"{random_.randrange(0x10000):x}::/48")  # fmt: skip
    return found


@pytest.mark.parametrize("name", ["www", "far", "even"])
def test_direct_and_indirect_views_answer_alike_and_only_scopes_differ(
    both: tuple[Lab, Lab], name: str
) -> None:
    for subnet in random_subnets(1, 600):
        query = question(f"{name}.a.test", subnet=subnet)
        direct, indirect = (made.reply(query) for made in both)
        assert direct.answer == indirect.answer
        wide, narrow = scope_of(direct), scope_of(indirect)
        assert wide is not None
        assert narrow is not None
        assert wide <= narrow


@pytest.mark.parametrize("which", [0, 1])
def test_a_scope_is_never_too_wide_and_in_a_direct_view_never_too_narrow(
    both: tuple[Lab, Lab], which: int
) -> None:
    made = both[which]
    view = next(view for view in made.generation.views.values() if view.classes > 3)
    random_ = random.Random(7)
    for bits, find in ((32, view.locate.find4), (64, view.locate.find6)):
        cap = 24 if bits == 32 else 48
        for _ in range(1500):
            address = random_.getrandbits(bits)
            if bits == 64:
                address = address >> 4 | 2 << 60
            number, scope = find(address)
            assert 0 <= scope <= cap
            if number == SPECIAL_CLASS:
                continue
            assert classes_within(find, address, scope, bits, random_) == {number}
            if which == 0 and scope:
                assert has_other(view, bits, address, scope - 1, number)


def classes_within(
    find: Callable[[int], tuple[int, int]], address: int, scope: int, bits: int, r: random.Random
) -> set[int]:
    """Classes met at the ends of a prefix and at random inside it."""
    span = 1 << bits - scope
    base = address & ~(span - 1)
    inside = [base, base + span - 1, *(base + r.randrange(span) for _ in range(30))]
    return {find(value)[0] for value in inside}


def has_other(view: object, bits: int, address: int, scope: int, number: int) -> bool:
    """Whether the wider prefix holds a start of another class: by the table itself."""
    intervals = view.locate  # type: ignore[attr-defined]
    starts, values = (
        (intervals.start4, intervals.value4) if bits == 32 else (intervals.start6, intervals.value6)
    )
    span = 1 << bits - scope
    base = address & ~(span - 1)
    first = bisect_right(starts, base) - 1
    last = bisect_left(starts, base + span)
    return any(values[at] != number for at in range(first, last))


def test_the_default_location_places_who_is_unknown(tmp_path: Path, tiny_world: World) -> None:
    made = Lab(tmp_path, tiny_world, sample(), default_location=NEW_YORK)
    assert made.addresses("www.a.test", subnet="99.1.1.0/24") == {"198.18.0.3"}
    made = Lab(tmp_path, tiny_world, sample(), default_location=ROME)
    assert made.addresses("www.a.test", subnet="99.1.1.0/24") == {"198.18.0.1"}
