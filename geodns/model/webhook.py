"""Webhook: whom changes of health are told to, by HTTP."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    SerializationInfo,
    WithJsonSchema,
    field_serializer,
)

from geodns.model.base import Resource, refused

HIDDEN = "(hidden-and-kept-as-it-is)"
"""Stands in every reply for what must not be read again; sent back, it changes nothing."""

SECRET_MIN_CHARS = 16
"""Source: NIST SP 800-107 section 5.3.2, a key of 112 bits or more; no character has 8."""

REVEALED = {"reveal": True}
"""The context in which a body is dumped with its secrets: into the store, nowhere else."""

_URL_PATTERN = r"^https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?([/?][!-~]*)?$"
_URL = re.compile(_URL_PATTERN)

EventKind = Literal["transition", "alarm", "relief", "generation"]


def _url(text: str) -> str:
    """RFC 3986, ASCII. What it says is not repeated: its path may be a secret."""
    hint = "Write it like https://hooks.example.com/geodns."
    if _URL.fullmatch(text) is None or "#" in text:
        raise refused(
            "This is no URL of http or https with a host, without user and fragment", hint
        )
    try:
        port = urlsplit(text).port
    except ValueError:
        port = 0
    if port == 0:
        raise refused("A port is from 1 to 65535", hint)
    return text


class Webhook(Resource):
    """Where events are posted to, signed with ``secret`` as Standard Webhooks has it.

    Shape: the secret, and what follows the host of the URL, are dumped as `HIDDEN`, for who knows
           a chat's URL may write there.
    """

    url: Annotated[
        str,
        Field(max_length=2048),
        AfterValidator(_url),
        WithJsonSchema({"type": "string", "maxLength": 2048, "pattern": _URL_PATTERN}),
    ]
    secret: Annotated[SecretStr, Field(min_length=SECRET_MIN_CHARS, max_length=256)] | None = None
    events: tuple[EventKind, ...] = Field(
        default=("transition", "alarm", "relief"), min_length=1, max_length=4
    )
    format: Literal["json", "slack"] = "json"

    @property
    def host(self) -> str:
        """The host's name or address, bare."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port, be it given or the scheme's own."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def shown_url(self) -> str:
        """The URL for everybody's eyes."""
        parts = urlsplit(self.url)
        bare = parts.path in ("", "/") and not parts.query
        return self.url if bare else f"{parts.scheme}://{parts.netloc}/{HIDDEN}"

    @property
    def hidden(self) -> list[str]:
        """The fields that came back hidden, with nothing known that they could stand for."""
        secret = self.secret is not None and self.secret.get_secret_value() == HIDDEN
        return [*(["url"] if HIDDEN in self.url else []), *(["secret"] if secret else [])]

    def keeping(self, known: Webhook) -> Webhook:
        """This webhook, with what came back hidden as it was."""
        kept: dict[str, object] = {}
        if "secret" in self.hidden and known.secret is not None:
            kept["secret"] = known.secret
        if "url" in self.hidden and self.url == known.shown_url:
            kept["url"] = known.url
        return self.model_copy(update=kept)

    @field_serializer("url", when_used="json")
    def _dumped_url(self, value: str, info: SerializationInfo) -> str:
        return value if info.context == REVEALED else self.shown_url

    @field_serializer("secret", when_used="json-unless-none")
    def _dumped_secret(self, value: SecretStr, info: SerializationInfo) -> str:
        return value.get_secret_value() if info.context == REVEALED else HIDDEN
