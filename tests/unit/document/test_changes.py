"""What differs between two Configs."""

from __future__ import annotations

from geodns.document.changes import Change, changes
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
