"""The lines of an explanation, and that each fits one string of a TXT record."""

from __future__ import annotations

from typing import Any

import pytest

from geodns.engine.explanation import LINE_MAX_OCTETS, Considered, lines_of


def fields(**changed: Any) -> dict[str, Any]:
    return {
        "name": "www.example.test",
        "type": "A",
        "nodes": ("mil1",),
        "addresses": ("192.0.2.20",),
        "ttl": 5,
        "scope": 24,
        "generation": 7,
        "subject": "79.6.0.0/24",
        "by": "ecs",
        "resolver": "127.0.0.1",
        "place": "EU-IT 45.63,8.72",
        "database": "dbip 2026-11",
        "rule": "",
        "arm": "",
        "pool": "eu",
        "order": "listed",
        "spread": "weighted",
        "candidates": (),
        "notes": ("scope /24: class",),
        **changed,
    }


def considered(**changed: Any) -> Considered:
    made: dict[str, Any] = {
        "node": "fra1",
        "address": "192.0.2.10",
        "pool": "eu",
        "tier": 1,
        "mark": "-",
        "state": "down",
        "distance_km": 489.2,
        "since_s": 14.0,
        "reason": "web: HTTP 503",
        **changed,
    }
    return Considered(**made)


def line(number: int, **changed: Any) -> str:
    return list(lines_of(fields(**changed)))[number - 1]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, "rule catch-all -> pool eu, listed"),
        ({"rule": "geos EU27 fence"}, "rule geos EU27 fence -> pool eu, listed"),
        ({"spread": "sticky"}, "rule catch-all -> pool eu, listed, sticky"),
        (
            {"rule": "geos EEA", "arm": "canary 5 of 100", "order": "latency"},
            "rule geos EEA -> arm canary 5 of 100 -> pool eu, latency",
        ),
    ],
)
def test_the_fourth_line_says_rule_arm_pool_and_order(changed: dict[str, Any], text: str) -> None:
    assert line(4, **changed) == f"04 {text}"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, "- fra1 192.0.2.10 489 km: down 14 s, web: HTTP 503"),
        ({"tier": 2}, "- fra1 192.0.2.10 489 km tier 2: down 14 s, web: HTTP 503"),
        (
            {"mark": "+", "state": "up", "shed_percent": 40.0},
            "+ fra1 192.0.2.10 489 km: up 14 s, sheds 40 %, web: HTTP 503",
        ),
        (
            {"state": "up", "shed_percent": 2.5, "sends_away": True, "distance_km": None},
            "- fra1 192.0.2.10: up 14 s, sheds 2.5 %, this user too, web: HTTP 503",
        ),
        (
            {"address": "", "tier": 0, "state": "does not serve 79.6.0.0/24", "since_s": None,
             "reason": ""},
            "- fra1 489 km: does not serve 79.6.0.0/24",
        ),
    ],
)  # fmt: skip
def test_a_candidates_line_says_why_it_may_answer_or_not(
    changed: dict[str, Any], text: str
) -> None:
    assert line(5, candidates=(considered(**changed),)) == f"05 {text}"


def test_every_line_fits_one_string_of_a_txt_record() -> None:
    lines = list(
        lines_of(
            fields(
                rule=f"subnets {'198.51.100.0/24 ' * 99}fence",
                nodes=tuple(f"node-{number}" for number in range(90)),
                notes=("é" * 300,),
                candidates=(considered(reason="ü" * 200),),
            )
        )
    )
    assert all(len(line.encode()) <= LINE_MAX_OCTETS for line in lines)
    assert lines[3].endswith("... fence -> pool eu, listed")
    assert lines[0].endswith("...")
