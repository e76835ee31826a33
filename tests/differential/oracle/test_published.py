"""What other steering servers publish about themselves holds here, asked on the wire."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.interpreter import Health, Place, Question

from differential.oracle.compare import ZONE, cut
from differential.oracle.product import Product
from differential.oracle.wire import Reply, query, read

Body = dict[str, Any]
Geo = dict[str, Place]
Serve = Callable[..., Product]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Compiles one name's steer with its pools and nodes for a world of some networks."""

    def made(geo: Geo, steer: Body, pools: Body, nodes: Body) -> Product:
        zone = {"nameservers": ["ns1.example.net"], "steers": {"www": steer}}
        document = {"geodns": 1, "zones": {ZONE: zone}, "pools": pools, "nodes": nodes}
        return Product(
            tmp_path, json.loads(json.dumps(document)), [*geo.items()], [("9.0.0.0/8", 1)]
        )

    return made


def ask(product: Product, subnet: str, message_id: int = 0) -> Reply:
    address, _, source = subnet.partition("/")
    question = Question("www", "A", "8.8.8.8", (address, int(source)), message_id)
    return read(product.ask(query(question, ZONE), question.resolver))


def node(address: str, lat: float = 0, lon: float = 0, **fields: object) -> Body:
    return {"addresses": [address], "location": {"lat": lat, "lon": lon}, **fields}


# --- Route 53: geoproximity with bias ---

WAY_DEGREES = 60.0
NEAR, FAR = "198.18.0.1", "198.18.0.2"


@pytest.mark.parametrize(
    ("mode", "biases", "border"),
    [
        ("symmetric", (0, 0), 1 / 2),
        ("symmetric", (50, 0), 2 / 3),  # a way of half its length
        ("symmetric", (-50, 0), 1 / 3),  # of twice its length: what +50 of the other does
        ("symmetric", (0, 50), 1 / 3),
        ("symmetric", (25, 0), 4 / 7),
        ("symmetric", (-20, 0), 4 / 9),
        ("symmetric", (99, 0), 100 / 101),
        ("symmetric", (-99, 0), 1 / 101),
        ("symmetric", (50, 50), 1 / 2),
        ("symmetric", (-50, 50), 1 / 5),
        ("route53", (0, 0), 1 / 2),
        ("route53", (50, 0), 2 / 3),
        ("route53", (25, 0), 4 / 7),
        ("route53", (-50, 0), 2 / 5),  # of half more
        ("route53", (-20, 0), 5 / 11),
        ("route53", (-99, 0), 100 / 299),
        ("route53", (-50, 50), 1 / 4),
    ],
)
def test_route_53_bias_moves_the_border_as_its_formulas_say(
    serve: Serve, mode: str, biases: tuple[int, int], border: float
) -> None:
    """Two nodes on the equator; ``border`` is the share of the way at which users change over.

    Formulas: d × (1 − b/100); of a negative bias d / (1 + b/100), or in mode route53 the first.
    Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-geoproximity.html
    https://kodecamps.com/mastering-geoproximity-routing-policy-in-amazon-route-53/
    """
    at = border * WAY_DEGREES
    geo = {
        "20.0.0.0/16": Place("EU", "IT", "", (0.0, at - 0.01)),
        "21.0.0.0/16": Place("EU", "IT", "", (0.0, at + 0.01)),
    }
    nodes = {
        "near": node(NEAR, 0, 0, bias=biases[0]),
        "far": node(FAR, 0, WAY_DEGREES, bias=biases[1]),
    }
    pool = {"nodes": [*nodes], "bias_mode": mode, "band_km": 0, "band_percent": 0}
    product = serve(geo, {"pool": "all"}, {"all": pool}, nodes)
    assert ask(product, "20.0.1.0/24").addresses == (NEAR,)
    assert ask(product, "21.0.1.0/24").addresses == (FAR,)


# --- NS1: the Shed Load filter ---

USERS = 3000


@pytest.mark.parametrize(
    ("load", "away"),
    [(10, 0.0), (80, 0.0), (81, 0.1), (85, 0.5), (89, 0.9), (90, 1.0), (99, 1.0)],
)
def test_ns1_shed_load_sheds_between_its_watermarks(serve: Serve, load: float, away: float) -> None:
    """At the low watermark of 80 or below nobody is sent away, at the high one of 90 or above
    everybody, between them as many as the distance between the two says.

    Source: https://www.ibm.com/docs/en/ns1-connect?topic=configurations-automatic-load-shedding
    """
    nodes = {"busy": node(NEAR, shed={"lo": 80, "hi": 90}), "idle": node(FAR)}
    pool = {"nodes": ["busy", "idle"], "order": "listed"}
    product = serve({"20.0.0.0/8": ITALY}, {"pool": "all"}, {"all": pool}, nodes)
    share = min(1.0, max(0.0, (load - 80) / (90 - 80)))
    product.set({(NEAR, None): Health("up", shed=min(65_535, round(share * 65_536)))})
    users = [f"{cut(20 << 24 | i << 12, 4, 20)[0]}/20" for i in range(USERS)]
    moved = sum(ask(product, user).addresses == (FAR,) for user in users)
    assert abs(moved - away * USERS) <= 5 * (away * (1 - away) * USERS) ** 0.5


def test_ns1_shed_load_leaves_answers_without_watermarks_alone(serve: Serve) -> None:
    """Source: as above; what has no metadata stays."""
    nodes = {"busy": node(NEAR), "idle": node(FAR)}
    pool = {"nodes": ["busy", "idle"], "order": "listed"}
    product = serve({"20.0.0.0/8": ITALY}, {"pool": "all"}, {"all": pool}, nodes)
    product.set({(NEAR, None): Health("up", shed=65_535)})
    assert ask(product, "20.1.2.0/24").addresses == (NEAR,)


# --- octoDNS: dynamic records ---

ITALY = Place("EU", "IT", "", (41.9, 12.5))
WORLD: Geo = {
    "20.0.0.0/8": Place("AF", "ZA", "", (-26.2, 28.0)),
    "21.0.0.0/8": Place("AF", "KE", "", (-1.3, 36.8)),
    "22.0.0.0/8": Place("AS", "JP", "", (35.7, 139.7)),
    "23.0.0.0/8": Place("OC", "AU", "", (-33.9, 151.2)),
    "24.0.0.0/8": Place("EU", "DE", "", (52.5, 13.4)),
    "25.0.0.0/8": Place("NA", "US", "KY", (38.2, -85.8)),
    "26.0.0.0/8": Place("SA", "BR", "", (-23.5, -46.6)),
    "5.0.0.0/8": Place("EU", "DE", "", (52.5, 13.4)),
}
VALUES = {
    "apac": {"1.1.1.1": 1, "2.2.2.2": 1},
    "eu": {"3.3.3.3": 2, "4.4.4.4": 3},
    "na": {"5.5.5.5": 1, "6.6.6.6": 1, "7.7.7.7": 1},
}
RULES: list[Body] = [
    {"geos": ["AF-ZA", "AS", "OC"], "subnets": ["5.149.176.0/24"], "pool": "apac"},
    {"geos": ["AF", "EU"], "pool": "eu"},
]
FALLBACK: dict[str, Body] = {"apac": {"fallback": "na"}, "eu": {"fallback": "na"}, "na": {}}


def octodns(serve: Serve, rules: list[Body]) -> Product:
    """The annotated example of its documentation, with the subnet of its section on subnets."""
    nodes = {
        f"{pool}-{i}": node(address, weight=weight)
        for pool, values in VALUES.items()
        for i, (address, weight) in enumerate(values.items())
    }
    pools = {
        pool: {"nodes": [n for n in nodes if n.startswith(pool)], "order": "equal"} | FALLBACK[pool]
        for pool in VALUES
    }
    return serve(WORLD, {"pool": "na", "rules": rules}, pools, nodes)


@pytest.mark.parametrize("rules", [RULES, RULES[::-1]])
def test_octodns_rules_send_each_place_to_its_pool(serve: Serve, rules: list[Body]) -> None:
    """A place goes before what it lies in, a subnet before every place, whatever comes first in
    the list; a pool that is down gives way to its fallback.

    Source: https://github.com/octodns/octodns/blob/main/docs/dynamic_records.rst
    """
    product = octodns(serve, rules)
    wanted = {
        "20.1.0.0/24": "apac",  # AF-ZA, not AF
        "21.1.0.0/24": "eu",
        "22.1.0.0/24": "apac",
        "23.1.0.0/24": "apac",
        "24.1.0.0/24": "eu",
        "25.1.0.0/24": "na",
        "26.1.0.0/24": "na",
        "27.1.0.0/24": "na",  # nobody knows where
        "5.149.176.0/24": "apac",  # though it is in Europe
        "5.149.177.0/24": "eu",
    }
    for subnet, pool in wanted.items():
        found = {ask(product, subnet, number).addresses[0] for number in range(40)}
        assert found == VALUES[pool].keys(), subnet
    product.set({(address, None): Health("down") for address in VALUES["apac"]})
    found = {ask(product, "22.1.0.0/24", number).addresses[0] for number in range(40)}
    assert found == VALUES["na"].keys()


def test_octodns_weights_are_shares(serve: Serve) -> None:
    """Source: as above; 2 and 3 are two and three fifths."""
    product = octodns(serve, RULES)
    found = Counter(ask(product, "24.1.0.0/24", number).addresses[0] for number in range(2500))
    assert abs(found["4.4.4.4"] - 1500) <= 5 * (2500 * 0.4 * 0.6) ** 0.5


# --- gdnsd: scopes ---


@pytest.mark.parametrize(
    ("subnet", "scope"),
    [
        ("24.0.0.0/32", 8),
        ("24.0.0.0/24", 8),
        ("24.0.0.0/9", 8),
        ("24.0.0.0/5", 8),  # beyond the source
        ("22.0.0.0/24", 7),  # with 23.0.0.0/8, which goes to the same pool
        ("23.255.255.0/24", 7),
        ("5.149.176.0/20", 24),
        ("5.149.177.0/24", 24),
        ("5.0.0.0/8", 9),
        ("28.0.0.0/24", 6),
    ],
)
def test_gdnsd_scopes_are_as_general_as_can_be_whatever_the_source(
    serve: Serve, subnet: str, scope: int
) -> None:
    """Source: https://github.com/gdnsd/gdnsd/wiki/GdnsdGeoipTest"""
    assert ask(octodns(serve, RULES), subnet).scope == scope
