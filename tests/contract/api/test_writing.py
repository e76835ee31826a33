"""A write costs what it touches, whatever came before it."""

from __future__ import annotations

from typing import Any

import pytest

PATH = "zones/example.com/rrsets/a/A"


@pytest.mark.parametrize("between", ["nothing", "the same again", "a plan", "a refusal"])
def test_the_whole_is_judged_once_and_then_edits_alone(
    prod: Any, monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    from geodns.api import writing

    whole: list[object] = []
    check = writing.check
    monkeypatch.setattr(
        "geodns.api.writing.check", lambda *a, **k: whole.append(a) or check(*a, **k)
    )
    assert prod.put(PATH, {"values": ["192.0.2.1"]}).status_code == 201
    begun = len(whole)
    if between == "the same again":
        assert prod.put(PATH, {"values": ["192.0.2.1"]}).status_code == 200
    elif between == "a plan":
        assert prod.put(f"{PATH}?plan=true", {"values": ["192.0.2.9"]}).status_code == 200
    elif between == "a refusal":
        assert prod.delete("pools/web").status_code == 409
    assert prod.put(PATH, {"values": ["192.0.2.2"]}).status_code == 200
    assert len(whole) == begun
