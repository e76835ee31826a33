"""What differs between two Configs."""

from __future__ import annotations

import random

from geodns.document.changes import Change, changes, touched
from geodns.model.config import Config
from geodns.model.node import Node
from geodns.model.zone import RRset, Zone

ONE, TWO = Node(addresses=("192.0.2.1",)), Node(addresses=("192.0.2.2",))
ZONE = Zone(nameservers=("ns.example",))


def test_equal_configs_have_no_changes() -> None:
    assert changes(Config(nodes={"a": ONE}), Config(nodes={"a": ONE})) == ()


def test_each_resource_is_added_changed_or_removed() -> None:
    before = Config(nodes={"a": ONE, "b": ONE})
    after = Config(nodes={"b": TWO, "c": TWO})
    one, two = {"addresses": ["192.0.2.1"]}, {"addresses": ["192.0.2.2"]}
    assert changes(before, after) == (
        Change("/nodes/a", "remove", one, None),
        Change("/nodes/b", "change", one, two),
        Change("/nodes/c", "add", None, two),
    )


def test_an_rrset_changes_without_its_zone() -> None:
    after = Config(zones={"z": ZONE}, rrsets={("z", "@", "A"): RRset(values=("::",))})
    (change,) = changes(Config(zones={"z": ZONE}), after)
    assert (change.pointer, change.kind) == ("/zones/z/rrsets/@/A", "add")


def test_whatever_was_put_replaced_moved_or_taken_out_is_touched() -> None:
    chance = random.Random(3)
    nodes = {f"n{i}": Node(addresses=(f"192.0.2.{i + 1}",)) for i in range(12)}
    for _ in range(300):
        before = dict(chance.sample(list(nodes.items()), chance.randrange(12)))
        after = {name: node for name, node in before.items() if chance.random() < 0.9}
        for name in chance.sample(list(nodes), chance.randrange(3)):
            after[name] = chance.choice([nodes[name], nodes[name].model_copy()])
        if chance.random() < 0.2:
            after = dict(chance.sample(list(after.items()), len(after)))
        found = [each.key[0] for each in touched(Config(nodes=before), Config(nodes=after))]
        wanted = [name for name in nodes if before.get(name) is not after.get(name)]
        assert sorted(found) == sorted(wanted)
