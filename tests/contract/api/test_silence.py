"""Nodes that registered themselves and have been silent for a day."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from geodns.daemon.reaper import SILENCE_S, Reaper

DAY_S = 86_400.0
NODE = {"addresses": ["192.0.2.77"], "location": {"lat": 50, "lon": 8}, "lease_s": 30}


class Day:
    """A reaper, and how long its day has been."""

    def __init__(self, api: Any, passed_s: float = 0.0) -> None:
        """Shape: it began so long ago."""
        self._api = api
        self._began_s = self.now_s = time.monotonic() - passed_s
        self._reaper = Reaper(api.registration, lambda: self.now_s)

    def after(self, seconds: float) -> None:
        """Look so long after it began."""
        self.now_s = self._began_s + seconds
        self._api.run(self._reaper.look())


def is_there(api: Any, node_id: str = "edge1") -> bool:
    return bool(api.get(f"nodes/{node_id}").status_code == 200)


def agent(api: Any, secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_node_that_is_not_heard_of_for_a_day_is_removed(api: Any) -> None:
    api.put("nodes/edge1", NODE)
    day = Day(api)
    day.after(DAY_S - 1)
    assert is_there(api)
    day.after(DAY_S + 1)
    assert not is_there(api)
    assert SILENCE_S == DAY_S
    gone, *_ = api.get("audit").json()["items"]
    assert (gone["actor"], gone["reason"]) == ("geodns", "not heard of for a day")
    assert [(each["id"], each["after"]) for each in gone["changes"]] == [("edge1", None)]


def test_a_sign_of_life_begins_the_day_anew(api: Any) -> None:
    for node_id in ("edge1", "edge2"):
        api.put(f"nodes/{node_id}", NODE)
    day = Day(api, passed_s=DAY_S / 2)
    assert api.put("nodes/edge1/heartbeat", {"load": 0.5}).status_code == 204
    day.after(DAY_S + 1)
    assert (is_there(api, "edge1"), is_there(api, "edge2")) == (True, False)
    day.after(1.5 * DAY_S + 60)
    assert not is_there(api, "edge1")


def test_a_node_without_a_lease_may_be_silent(api: Any) -> None:
    api.put("nodes/edge1", {key: value for key, value in NODE.items() if key != "lease_s"})
    Day(api).after(30 * DAY_S)
    assert is_there(api)


def test_the_secret_of_a_removed_node_ends_and_a_shared_one_brings_it_anew(api: Any) -> None:
    shared = api.post("tokens", {"id": "fleet", "role": "agent", "nodes": ["edge*"]}).json()
    joined = api.put("nodes/edge1", NODE, headers=agent(api, shared["secret"]))
    own = agent(api, joined.json()["secret"])
    assert api.put("nodes/edge1/heartbeat", {}, headers=own).status_code == 204
    Day(api).after(DAY_S + 60)
    assert api.put("nodes/edge1", NODE, headers=own).status_code == 401
    again = api.put("nodes/edge1", NODE, headers=agent(api, shared["secret"]))
    assert again.status_code == 201
    assert is_there(api)


def test_a_silent_node_that_a_pool_names_stays_and_is_told_of(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for node_id in ("edge1", "edge2"):
        api.put(f"nodes/{node_id}", NODE)
    api.put("pools/web", {"nodes": ["edge1"]})
    with caplog.at_level(logging.WARNING, "geodns.control"):
        Day(api).after(DAY_S + 1)
    assert (is_there(api, "edge1"), is_there(api, "edge2")) == (True, False)
    assert "node edge1 is silent for a day, but stays" in caplog.text
