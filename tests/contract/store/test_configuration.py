"""Records become a Config, and the difference of two Configs becomes writes."""

from __future__ import annotations

import pytest

from geodns.errors import ConfigError
from geodns.model.config import Config
from geodns.model.monitor import Monitor
from geodns.model.node import Location, Node
from geodns.model.pool import Pool
from geodns.model.zone import RRset, Steer, Zone
from geodns.store.base import Record, Store, Write
from geodns.store.configuration import to_config, to_writes

NODE = Node(addresses=("192.0.2.1",), location=Location(lat=1, lon=2))
CONFIG = Config(
    zones={"example.com": Zone(nameservers=("ns.example.net",))},
    steers={("example.com", "www"): Steer(pool="web")},
    rrsets={("example.com", "mail", "A"): RRset(values=("192.0.2.9",), ttl=5)},
    pools={"web": Pool(nodes=("fra1",), monitor="m")},
    nodes={"fra1": NODE, "mil1": NODE},
    monitors={"m": Monitor(type="tcp", port=80)},
)


def test_a_config_is_the_same_after_the_store(store: Store) -> None:
    store.commit(to_writes(Config(), CONFIG), base=0, actor="a")
    assert to_config(store.read()[1].values()) == CONFIG


def test_only_what_differs_is_written() -> None:
    moved = Node(addresses=("192.0.2.1",), location=Location(lat=3, lon=4))
    after = Config(nodes={"fra1": NODE, "mil1": moved})
    writes = {(write.kind, write.key): write.body for write in to_writes(CONFIG, after)}
    assert writes == {
        ("zone", ("example.com",)): None,
        ("steer", ("example.com", "www")): None,
        ("rrset", ("example.com", "mail", "A")): None,
        ("pool", ("web",)): None,
        ("monitor", ("m",)): None,
        ("node", ("mil1",)): {"addresses": ["192.0.2.1"], "location": {"lat": 3.0, "lon": 4.0}},
    }
    assert to_writes(CONFIG, CONFIG) == []


def test_defaults_are_not_stored() -> None:
    (write,) = to_writes(Config(), Config(pools={"p": Pool(select={"a": "b"}, order="nearest")}))
    assert write == Write("pool", ("p",), {"select": {"a": "b"}})


def test_every_record_that_cannot_be_read_is_named() -> None:
    records = [
        Record("node", ("a",), 1, {"addresses": ["x"]}),
        Record("node", ("b",), 1, {"addresses": ["::1"], "wheels": 4}),
        Record("galaxy", ("c",), 1, {}),
    ]
    with pytest.raises(ConfigError) as refused:
        to_config(records)
    assert [(reason.pointer, reason.code) for reason in refused.value.reasons] == [
        ("/galaxy", "unknown_kind"),
        ("/nodes/a/addresses/0", "bad_value"),
        ("/nodes/b/wheels", "unknown_field"),
    ]
