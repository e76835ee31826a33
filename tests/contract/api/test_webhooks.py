"""Webhooks as resources: what they take, and that nobody reads their secrets again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from geodns.model.webhook import HIDDEN

SECRET = "correct horse battery staple"
PATH = "/T000/B000/very-secret"
URL = f"https://hooks.example.com:8443{PATH}?key=hidden-too"
HOOK = {"url": URL, "secret": SECRET}
SHOWN = f"https://hooks.example.com:8443/{HIDDEN}"


@pytest.fixture
def hooked(api: Any) -> Any:
    assert api.put("webhooks/ops", HOOK).status_code == 201
    return api


def stored(api: Any) -> tuple[str, str | None]:
    """What the server goes by."""
    hook = api.service.config.webhooks["ops"]
    return hook.url, hook.secret.get_secret_value() if hook.secret else None


def codes(reply: Any) -> list[tuple[str, str]]:
    return [(each["pointer"], each["code"]) for each in reply.json()["reasons"]]


def test_no_reply_shows_the_secret_or_the_path(hooked: Any) -> None:
    document = hooked.get("document").json()
    replies = [
        hooked.get("webhooks/ops"),
        hooked.get("webhooks"),
        hooked.get("document"),
        hooked.get("status"),
        hooked.put("webhooks/ops", HOOK),
        hooked.patch("webhooks/ops", {"format": "slack"}),
        hooked.patch("webhooks/ops", {"format": "json"}),
        hooked.put("webhooks/ops?plan=true", {**HOOK, "secret": SECRET * 2}),
        hooked.post("plan", {**document, "webhooks": {"ops": HOOK, "new": HOOK}}),
        hooked.put("webhooks/ops", {**HOOK, "secret": SECRET * 20}),
        hooked.put("webhooks/ops", {**HOOK, "url": f"ftp://x{PATH}"}),
        hooked.put("webhooks/ops", {**HOOK, "evnets": []}),
    ]
    assert {reply.status_code for reply in replies} == {200, 422}
    for reply in replies:
        assert SECRET not in reply.text
        assert "very-secret" not in reply.text
    assert SHOWN in replies[0].text
    assert "very-secret" not in repr(hooked.service.config.webhooks["ops"].secret)


def test_it_is_kept_over_a_restart_of_the_store(hooked: Any) -> None:
    _, records = hooked.store.read()
    (record,) = [each for each in records.values() if each.kind == "webhook"]
    assert record.body == HOOK


def test_what_comes_back_hidden_stays_as_it_is(hooked: Any) -> None:
    shown = hooked.get("webhooks/ops").json()
    assert (shown["url"], shown["secret"]) == (SHOWN, HIDDEN)
    assert hooked.put("webhooks/ops", {**shown, "format": "slack"}).status_code == 200
    assert stored(hooked) == (URL, SECRET)
    assert hooked.patch("webhooks/ops", {"secret": HIDDEN}).status_code == 200
    assert stored(hooked) == (URL, SECRET)
    document = hooked.get("document").json()
    assert hooked.put("document?prune=true", document).status_code == 200
    assert stored(hooked) == (URL, SECRET)
    assert hooked.patch("webhooks/ops", {"secret": None}).status_code == 200
    assert stored(hooked) == (URL, None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("/url", "required")]),
        ({"url": SHOWN, "secret": HIDDEN}, [("/url", "hidden"), ("/secret", "hidden")]),
        ({**HOOK, "url": f"https://evil.example/{HIDDEN}"}, [("/url", "hidden")]),
        ({**HOOK, "secret": "short"}, [("/secret", "too_few")]),
        ({**HOOK, "secret": 12345678901234567890}, [("/secret", "wrong_type")]),
        ({**HOOK, "url": "https://user:word@hooks.test/"}, [("/url", "bad_value")]),
        ({**HOOK, "url": "https://hooks.test/#x"}, [("/url", "bad_value")]),
        ({**HOOK, "url": "https://hooks.test:99999/"}, [("/url", "bad_value")]),
        ({**HOOK, "url": "https://hooks.test:0/"}, [("/url", "bad_value")]),
        ({**HOOK, "url": "https://hooks.test/\r\nX: y"}, [("/url", "bad_value")]),
        ({**HOOK, "url": "https:///x"}, [("/url", "bad_value")]),
        ({**HOOK, "url": "https://[::1/x"}, [("/url", "bad_value")]),
        ({**HOOK, "url": "gopher://hooks.test/"}, [("/url", "bad_value")]),
        ({**HOOK, "url": "http://169.254.169.254/latest"}, [("/url", "forbidden_address")]),
        ({**HOOK, "url": "http://0xa9.0xfe.43518/"}, [("/url", "forbidden_address")]),
        ({**HOOK, "url": "http://[::ffff:169.254.169.254]/"}, [("/url", "forbidden_address")]),
        ({**HOOK, "url": "http://[fe80::1]/"}, [("/url", "forbidden_address")]),
        ({**HOOK, "events": []}, [("/events", "too_few")]),
        ({**HOOK, "events": ["birthday"]}, [("/events/0", "not_a_choice")]),
        ({**HOOK, "format": "carrier pigeon"}, [("/format", "not_a_choice")]),
    ],
)
def test_what_makes_no_sense_is_refused(
    api: Any, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    reply = api.put("webhooks/ops", body)
    assert (reply.status_code, codes(reply)) == (422, expected)
    assert SECRET not in reply.text


def test_one_hidden_url_does_not_stand_for_another(hooked: Any) -> None:
    other = f"https://hooks.example.com/{HIDDEN}"
    assert codes(hooked.put("webhooks/ops", {"url": other})) == [("/url", "hidden")]
    new = hooked.put("webhooks/new", {"url": SHOWN})
    assert codes(new) == [("/url", "hidden")]
    assert stored(hooked) == (URL, SECRET)


def test_a_url_without_a_path_has_nothing_to_hide(api: Any) -> None:
    made = api.put("webhooks/ops", {"url": "http://192.0.2.1:9000/"}).json()
    assert (made["url"], made["secret"]) == ("http://192.0.2.1:9000/", None)
    assert made["status"]["waiting"] == 0


def test_there_are_not_too_many(api: Any) -> None:
    hooks = {f"w{number}": {"url": "https://hooks.test/"} for number in range(101)}
    reply = api.put("document", {"geodns": 1, "webhooks": hooks})
    assert codes(reply) == [("/webhooks", "too_many")]
    assert json.dumps(reply.json()).count("hooks.test") == 0


def test_a_webhook_reaches_the_publisher_with_all_the_rest_and_goes(hooked: Any) -> None:
    assert hooked.delete("webhooks/ops").status_code == 204
    assert hooked.get("webhooks/ops").status_code == 404
