"""Where the API is: what the environment says, else what the server left in its directory."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geodns.errors import ConfigError, Reason, Unavailable
from geodns.net import ANSWER_TIMEOUT_S, Client
from geodns.net.trust import trust_of
from geodns.settings import ENVIRONMENT_PREFIX, default_data_dir
from geodns.settings.values import Endpoint, endpoint

ANNOUNCEMENT = "api.json"
TOKEN_FILE = "admin.token"

FILE_MAX_OCTETS = 2**16
"""Source: no reference; the longest of these files has some hundred octets."""

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a running server says of itself in its data directory.

    Shape: ``certificate`` is what its API shows, in PEM; empty without TLS.
    """

    api: str
    dns: tuple[Endpoint, ...]
    certificate: str = ""


def connect(
    data_dir: Path | None,
    environ: Mapping[str, str] | None = None,
    answer_timeout_s: float = ANSWER_TIMEOUT_S,
) -> Client:
    """A client of the API that this command is about.

    Errors: Unavailable if no server is known; ConfigError without a token.
    """
    environ = os.environ if environ is None else environ
    directory = directory_of(data_dir, environ)
    given = environ.get("GEODNS_API")
    own = _own(directory) if given else announcement(directory)
    url = given or (own.api if own else "")
    is_own = own is not None and own.api == url
    token = environ.get("GEODNS_TOKEN") or _token(url, directory, is_own=is_own)
    # Of our own server we know the very certificate, whoever signed it and for what name.
    trust = trust_of(environ, own.certificate if own and is_own else "")
    return Client(url, token, answer_timeout_s=answer_timeout_s, trust=trust)


def directory_of(data_dir: Path | None, environ: Mapping[str, str]) -> Path:
    """The data directory by option, else environment, else default."""
    named = environ.get(f"{ENVIRONMENT_PREFIX}DATA_DIR") or default_data_dir(environ)
    return data_dir or Path(named).expanduser()


def announcement(directory: Path) -> Announcement:
    """Where the server of this data directory listens.

    Errors: Unavailable if it never ran; ConfigError if its word cannot be read.
    """
    path = directory / ANNOUNCEMENT
    text = _read(path)
    if text is None:
        hint = "Start one with geodns serve or geodns demo, or give --data-dir or GEODNS_API."
        detail = f"No server runs in {directory}: it has no {ANNOUNCEMENT}."
        raise Unavailable([Reason("", "no_server", detail, str(path), hint)])
    try:
        found = json.loads(text)
        dns = tuple(map(endpoint, found["dns"]))
        return Announcement(str(found["api"]), dns, str(found.get("certificate", "")))
    except (ValueError, TypeError, KeyError, RecursionError):
        hint = "A restart of the server writes it anew."
        raise ConfigError([Reason("", "bad_file", f"{path} is damaged.", hint=hint)]) from None


def _own(directory: Path) -> Announcement | None:
    """What the directory's server says, if there is one and it can be read."""
    try:
        return announcement(directory)
    except (Unavailable, ConfigError):
        return None


def _token(url: str, directory: Path, *, is_own: bool) -> str:
    """The token of the directory's own server; it is sent to no other."""
    text = _read(directory / TOKEN_FILE) if is_own else None
    if text is None:
        detail = f"No token for {url}."
        hint = f"Set GEODNS_TOKEN, or give the --data-dir whose {TOKEN_FILE} it is."
        raise ConfigError([Reason("", "no_token", detail, hint=hint)])
    return text.strip()


def _read(path: Path) -> str | None:
    """The text of a small file; None if there is none. Errors: ConfigError."""
    try:
        with path.open("rb") as file:
            return file.read(FILE_MAX_OCTETS).decode()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not text"
        hint = "It is its owner's only: run as the server's user, or set GEODNS_TOKEN."
        detail = f"{path} cannot be read: {why}."
        raise ConfigError([Reason("", "unreadable", detail, hint=hint)]) from None
