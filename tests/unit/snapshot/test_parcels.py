"""A Config on its way to the compile process: whole once, then what was edited."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support.build import PARIS, ROME, config, node, zone

from geodns.model.config import Config
from geodns.snapshot import parcels
from geodns.snapshot.parcels import Receiver, Sender


def fleet(text: str = "a", **nodes: dict[str, Any]) -> Config:
    rrsets = {"static": {"TXT": [text]}}
    own = {"rome": node(ROME, "192.0.2.1"), **nodes}
    return config({"example.test": zone({"www": "web"}, rrsets)}, own, {"web": {"nodes": ["rome"]}})


def test_what_is_unpacked_is_what_was_packed_edit_after_edit() -> None:
    sender, receiver = Sender(), Receiver()
    first = fleet()
    more = replace(
        first, nodes={**first.nodes, "paris": fleet(p=node(PARIS, "192.0.2.2")).nodes["p"]}
    )
    changed = replace(more, rrsets=fleet("b").rrsets)
    less = replace(changed, nodes=first.nodes, steers={})
    for each in (first, more, changed, less, less, fleet("c"), first):
        assert receiver.unpack(sender.pack(each)) == each


def test_an_edit_is_sent_alone_and_the_rest_stays_the_same_objects() -> None:
    sender, receiver = Sender(), Receiver()
    first = fleet()
    before = receiver.unpack(sender.pack(first))
    parcel = sender.pack(replace(first, rrsets=fleet("b").rrsets))
    assert [(edit.kind, edit.key) for edit in parcel] == [  # type: ignore[union-attr]
        ("rrset", ("example.test", "static", "TXT"))
    ]
    after = receiver.unpack(parcel)
    assert after.nodes is before.nodes
    assert after.zones["example.test"] is before.zones["example.test"]


def test_very_many_edits_are_sent_whole(monkeypatch: Any) -> None:
    monkeypatch.setattr(parcels, "EDITS_MAX", 1)
    sender = Sender()
    sender.pack(fleet())
    assert isinstance(sender.pack(fleet("b", paris=node(PARIS, "192.0.2.2"))), Config)
