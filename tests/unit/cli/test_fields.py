"""``field=value``: what each kind of value becomes, and that the kinds are the model's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel, SecretStr

from geodns.api.filters import filters_of
from geodns.cli.fields import LISTS, POINTS, TEXTS, parse_fields
from geodns.cli.names import CHOICES, FIELDS, FILTERS, MAPPINGS, TYPES
from geodns.dns.rrtypes import TYPES as KNOWN_TYPES
from geodns.document.resources import KINDS
from geodns.errors import ConfigError
from geodns.model.asked import NewToken
from geodns.model.monitor import Monitor
from geodns.model.network import Network
from geodns.model.node import Location, Node
from geodns.model.override import Override
from geodns.model.pool import Pool
from geodns.model.webhook import Webhook
from geodns.model.zone import Zone


@pytest.mark.parametrize(
    ("word", "body"),
    [
        ("weight=50", {"weight": 50}),
        ("band_km=0.5", {"band_km": 0.5}),
        ("ecs=false", {"ecs": False}),
        ("ecs=no", {"ecs": "no"}),  # YAML 1.2: text, which the server refuses in its words
        ("addresses=192.0.2.1", {"addresses": ["192.0.2.1"]}),
        ("addresses=192.0.2.1,192.0.2.2", {"addresses": ["192.0.2.1", "192.0.2.2"]}),
        ("addresses=192.0.2.1, 2001:db8::1", {"addresses": ["192.0.2.1", "2001:db8::1"]}),
        ("addresses=[192.0.2.1, 2001:db8::1]", {"addresses": ["192.0.2.1", "2001:db8::1"]}),
        ("nodes=", {"nodes": None}),
        ("nodes=fra1", {"nodes": ["fra1"]}),
        ("expect.status=200,301-302", {"expect": {"status": ["200", "301-302"]}}),
        (
            "nameservers=[{name: ns1.a, addresses: [192.0.2.1]}]",
            {"nameservers": [{"name": "ns1.a", "addresses": ["192.0.2.1"]}]},
        ),
        ("location=50.1,8.7", {"location": {"lat": 50.1, "lon": 8.7}}),
        ("location=-33.9, 151", {"location": {"lat": -33.9, "lon": 151.0}}),
        ("location={lat: 1, lon: 2}", {"location": {"lat": 1, "lon": 2}}),
        ("location=null", {"location": None}),
        ("location.lat=50", {"location": {"lat": 50}}),
        ("at=FRA", {"at": "FRA"}),
        ("at=Springfield, US-IL", {"at": "Springfield, US-IL"}),
        ("subnets=10.0.0.0/8, 2001:db8::/32", {"subnets": ["10.0.0.0/8", "2001:db8::/32"]}),
        ("serves.geos=EU27,unknown", {"serves": {"geos": ["EU27", "unknown"]}}),
        ("refuses.asns=64500,AS64501", {"refuses": {"asns": [64500, 64501]}}),
        ("shed.lo=0.7", {"shed": {"lo": 0.7}}),
        ("labels.tier=7", {"labels": {"tier": "7"}}),
        ("labels.tier=", {"labels": {"tier": None}}),
        ("labels={tier: edge, site: fra}", {"labels": {"tier": "edge", "site": "fra"}}),
        ("weights.fra1=7", {"weights": {"fra1": 7}}),
        ("headers.X.Y=a: b", {"headers": {"X.Y": "a: b"}}),
        ("monitor=web", {"monitor": "web"}),
        ("monitor=~", {"monitor": None}),
        ("path=/a=b&c: d", {"path": "/a=b&c: d"}),
        ("expect.body=*ok*", {"expect": {"body": "*ok*"}}),
        ("expect.body=200", {"expect": {"body": "200"}}),
        ('expect.body="null"', {"expect": {"body": "null"}}),
        ("host=010", {"host": "010"}),
    ],
)
def test_a_field_becomes(word: str, body: dict[str, Any]) -> None:
    assert parse_fields([word]) == body


def test_fields_of_one_mapping_are_gathered() -> None:
    assert parse_fields(["location.lat=1", "weight=2", "location.lon=3"]) == {
        "location": {"lat": 1, "lon": 3},
        "weight": 2,
    }


@pytest.mark.parametrize(
    "words",
    [
        ["weight"],
        ["=5"],
        ["we ight=5"],
        ["a..b=1", "x"],
        ["weight=1", "weight=2"],
        ["location=1,2", "location.lat=1"],
        ["location.lat=1", "location=1,2"],
        ["weight={"],
        ["weight=*a"],
        ["location=1"],
        ["location=1,2,3"],
        ["location=a,b"],
        ["location=nan,0"],
        ["location=inf,0"],
    ],
)
def test_what_is_no_field_is_refused(words: list[str]) -> None:
    with pytest.raises(ConfigError):
        parse_fields(words)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_fields(["weight", "location=x", "labels.a=[", "band_km=["])
    assert [reason.pointer for reason in refused.value.reasons] == ["", "/location", "/band_km"]


# --- In step with the model ---


MODELS = (Zone, Node, Pool, Monitor, Network, Override, Webhook, NewToken)

APART = {"id", "match.labels.*"}
"""What no field=value sets: the id has its own place, and lists in mappings are YAML."""


def leaves(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Every field by its path, with its annotation; None is left out of unions."""
    for name, field in model.model_fields.items():
        name, kind = field.alias or name, without_none(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not Location:
            yield from ((f"{name}.{path}", inner) for path, inner in leaves(kind))
        elif get_origin(kind) is dict:
            yield f"{name}.*", without_none(get_args(kind)[1])
        else:
            yield name, kind


def without_none(kind: Any) -> Any:
    kinds = [each for each in get_args(kind) if each is not type(None)]
    if get_origin(kind) is not None and len(kinds) < len(get_args(kind)):
        return without_none(kinds[0])
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind


def is_text(kind: Any) -> bool:
    choices = get_args(kind)
    return kind in (str, SecretStr) or (
        bool(choices) and all(isinstance(each, str) for each in choices)
    )


def test_the_kinds_of_fields_are_those_of_the_model() -> None:
    fields = {path: kind for model in MODELS for path, kind in leaves(model)}
    fields = {path: kind for path, kind in fields.items() if path not in APART}
    assert {path for path, kind in fields.items() if is_text(kind)} == TEXTS
    assert {path for path, kind in fields.items() if get_origin(kind) is tuple} == LISTS
    assert {path for path, kind in fields.items() if kind is Location} == POINTS


def test_what_completion_offers_is_what_the_model_has() -> None:
    models = {**KINDS, "token": NewToken}
    for word, offered in FIELDS.items():
        named = {field.alias or name for name, field in models[word].model_fields.items()}
        assert set(offered) == named - {"id"}, word
        for name, field in models[word].model_fields.items():
            choices = get_args(without_none(field.annotation))
            if is_text(without_none(field.annotation)) and choices:
                assert CHOICES[word, name] == choices
            mapping = get_origin(without_none(field.annotation)) is dict
            assert not mapping or name in MAPPINGS


def test_the_types_that_completion_offers_are_those_one_may_write() -> None:
    assert set(TYPES) == set(KNOWN_TYPES)


def test_the_filters_that_completion_offers_are_those_of_the_api() -> None:
    for word in FIELDS.keys() - {"token"}:
        assert {"prefix", *FILTERS.get(word, ())} == set(filters_of(word)), word
