"""``geodns agent``: what it would register."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from geodns.cli.agent import Errand, agent
from geodns.errors import ConfigError


@pytest.fixture
def errands(monkeypatch: pytest.MonkeyPatch) -> list[Errand]:
    """What the agent would have set out to do."""
    found: list[Errand] = []

    def serve(errand: Errand, ended: Event) -> int:
        found.append(errand)
        return 0

    monkeypatch.setattr("geodns.cli.agent.serve", serve)
    monkeypatch.setattr("geodns.cli.agent.signal.signal", lambda *_: None)
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    return found


def setting_out(**options: Any) -> int:
    return agent("http://127.0.0.1:1", Path("token"), "edge-1", ["192.0.2.1"], **options)


def test_the_place_may_be_a_name_or_degrees(errands: list[Errand]) -> None:
    setting_out(at="FRA")
    setting_out(location="50.1,8.7")
    setting_out()
    places = [(each.body.get("at"), each.body.get("location")) for each in errands]
    assert places == [("FRA", None), (None, {"lat": 50.1, "lon": 8.7}), (None, None)]


def test_it_is_not_both(errands: list[Errand]) -> None:
    with pytest.raises(ConfigError, match="give one"):
        setting_out(at="FRA", location="50.1,8.7")
    assert errands == []
