"""The overrides section: what the health process needs for drains and leases."""

from __future__ import annotations

from dataclasses import replace

from support.build import BERLIN, ROME, config, node, zone

from geodns.document.overrides import override_warnings
from geodns.model.config import Config
from geodns.model.override import Match, Override
from geodns.snapshot.overrides import book_of, decode_book, encode_book
from geodns.snapshot.section import Section

STEERS = {
    "www": {"split": {"web": 1, "new": 1}, "ttl": 60},
    "shop": {"pool": "web", "rules": [{"geos": ["EU"], "pool": "eu"}], "ttl": 90},
}


def made() -> Config:
    nodes = {
        "rome": node(ROME, "198.18.0.1", labels={"site": "it"}),
        "berlin": node(BERLIN, "198.18.0.2", lease_s=30),
        "fresh": node(ROME, "198.18.0.3"),
    }
    pools = {"web": {"nodes": ["rome"]}, "new": {"nodes": ["fresh"]}, "eu": {"nodes": ["berlin"]}}
    return config({"a.test": zone(STEERS)}, nodes, pools)


def test_a_node_has_the_longest_ttl_of_all_arms_and_rules_that_lead_to_it() -> None:
    book = decode_book(Section(encode_book(book_of(made()))))
    assert book.ttls == {"rome": 90, "fresh": 60, "berlin": 90}
    assert (book.leases, book.sites) == ({"berlin": 30.0}, {"it": ("rome",)})


def test_a_warning_names_the_steers_whose_rules_or_splits_are_concerned() -> None:
    before = made()
    works = Override(match=Match(nodes=("fresh", "berlin")), state="down", reason="works")
    after = replace(before, overrides={"works": works})
    details = [reason.detail for reason in override_warnings(after)]
    assert details == [
        "Pool eu keeps 0 of its 1 nodes; it steers shop of a.test.",
        "Pool new keeps 0 of its 1 nodes; it steers www of a.test.",
    ]
