"""Where a node stands when its author does not say."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_node_without_location_is_placed_and_the_reply_says_so(api: Any) -> None:
    created = api.put("nodes/fra2", {"addresses": ["192.0.2.10"]})
    assert created.json()["location"] == {"lat": 50.11, "lon": 8.68}
    assert created.json()["warnings"][0]["detail"] == (
        "Placed at 50.11, 8.68 (EU-DE) from 192.0.2.10 by dbip-city-lite 2026-11."
    )
    assert api.get("nodes/fra2").json()["location"] == {"lat": 50.11, "lon": 8.68}


def test_a_node_that_the_database_does_not_know_needs_a_location(api: Any) -> None:
    refused = api.put("nodes/x", {"addresses": ["203.0.113.1"]})
    assert refused.status_code == 422
    (reason,) = refused.json()["reasons"]
    assert reason["pointer"] == "/location"
    assert "location" in reason["hint"]


def test_a_placed_node_stays_where_it_is_until_its_address_changes(api: Any) -> None:
    api.put("nodes/a", {"addresses": ["192.0.2.10"], "location": {"lat": 1.0, "lon": 1.0}})
    kept = api.put("nodes/a", {"addresses": ["192.0.2.10"], "weight": 5}).json()
    assert kept["location"] == {"lat": 1.0, "lon": 1.0}
    assert api.put("nodes/a", {"addresses": ["192.0.2.11"]}).json()["location"]["lat"] == 50.11


@pytest.mark.parametrize("how", ["put", "patch"])
def test_a_null_location_asks_for_a_new_look_up(api: Any, how: str) -> None:
    api.put("nodes/a", {"addresses": ["192.0.2.10"], "location": {"lat": 1.0, "lon": 1.0}})
    body = {"addresses": ["192.0.2.10"], "location": None}
    assert getattr(api, how)("nodes/a", body).json()["location"]["lat"] == 50.11
