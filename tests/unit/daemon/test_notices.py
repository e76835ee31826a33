"""What webhooks say, and that a receiver can tell who says it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from geodns.daemon.notices import (
    body_of,
    headers_of,
    is_news,
    notice_of,
    signature,
    text_of,
)

FELL: dict[str, Any] = {
    "at": "2026-11-23T06:00:00.250Z",
    "address": "192.0.2.10",
    "monitor": "web",
    "before": "up",
    "after": "down",
    "reason": "HTTP 503",
    "lasted_s": 11_109.4,
    "elapsed_ms": 12.5,
}


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of its specification."""
    octets = b'{"event_type":"ping","data":{"success":true}}'
    found = signature(
        "whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", "1731705121", octets
    )
    assert found == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


def test_a_secret_of_any_form_signs() -> None:
    """RFC 4231 is about keys of octets: what is no base64 after whsec_ is taken as it is."""
    plain, broken = (signature(key, "m", "1", b"x") for key in ("a" * 20, "whsec_!!!!!!!!!!"))
    assert plain != broken
    assert plain.startswith("v1,")


def test_id_time_and_body_are_all_signed() -> None:
    key = "k" * 20
    found = {
        signature(key, *rest) for rest in (("a", "1", b"x"), ("b", "1", b"x"), ("a", "2", b"x"),
                                           ("a", "1", b"y"))
    }  # fmt: skip
    assert len(found) == 4


def test_a_transition_is_told_with_reason_observation_and_duration() -> None:
    notice = notice_of((17, 4), "transition", FELL, ["fra1"])
    body = json.loads(body_of(notice, "json"))
    assert (body["type"], body["timestamp"]) == ("transition", FELL["at"])
    assert body["data"] == {**{k: v for k, v in FELL.items() if k != "at"}, "nodes": ["fra1"]}
    text = json.loads(body_of(notice, "slack"))["text"]
    assert text == (
        ":red_circle: fra1 (192.0.2.10, web) is down: HTTP 503 "
        "after 3 h 5 min up, probed in 12.5 ms"
    )


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("alarm", {"reason": "nothing answers"}, "holds all verdicts: nothing answers"),
        ("relief", {"reason": "a canary answers"}, "trusts itself again"),
        ("generation", {"generation": 7}, "Generation 7 is served."),
        ("missed", {"events": 9}, "9 events have been lost"),
        ("transition", {**FELL, "monitor": None, "elapsed_ms": None}, "192.0.2.10 is down"),
    ],
)
def test_every_kind_has_a_line(kind: str, data: dict[str, Any], words: str) -> None:
    assert words in text_of(notice_of((1, 1), kind, data))


def test_what_a_node_says_mentions_nobody() -> None:
    loud = {**FELL, "reason": "<!channel> & <https://evil.test|click>"}
    text = text_of(notice_of((1, 1), "transition", loud))
    assert "&lt;!channel&gt; &amp; &lt;https" in text
    assert not set("<>") & set(text)


def test_the_same_event_has_the_same_id_and_another_has_another() -> None:
    first = notice_of((17, 4), "transition", FELL, ["fra1"])
    again = notice_of((17, 5), "transition", dict(FELL))
    assert first.id == again.id, "after a restart, or when a node has been renamed"
    assert first.id != notice_of((17, 4), "transition", {**FELL, "after": "unknown"}).id


def test_without_a_secret_nothing_is_signed() -> None:
    notice = notice_of((1, 1), "generation", {"generation": 1, "at": "x"})
    assert "Webhook-Signature" not in headers_of(notice, b"", None, 0)
    signed = headers_of(notice, b"", "s" * 16, 1731705121.9)
    assert signed["Webhook-Timestamp"] == "1731705121"
    assert signed["Webhook-Signature"] == signature("s" * 16, notice.id, "1731705121", b"")


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        ("unknown", "up", False),
        ("up", "unknown", False),
        ("unknown", "down", True),
        ("up", "down", True),
        ("down", "up", True),
        ("down", "unknown", True),
    ],
)
def test_a_start_is_no_news_and_a_fall_is(before: str, after: str, news: bool) -> None:
    assert is_news("transition", {"before": before, "after": after}) is news
