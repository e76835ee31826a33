"""Who may use the API: secrets are handed out once, only their hashes are kept."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from geodns.errors import Unavailable
from geodns.store.base import Store, Token

SECRET_OCTETS = 32
"""Randomness of a secret; 43 characters in base64. Source: RFC 6749 section 10.10 asks that
guessing succeeds with at most 2^-160; 2^-256 costs nothing more."""

_ADMIN = re.compile(r"gdns_admin_[A-Za-z0-9_-]{43}")


def ensure_admin_token(store: Store, path: Path, now: datetime) -> None:
    """Make the file of the admin token if there is none, and make its token the valid one.

    Shape:  one line, readable by its owner only. Removing the file and starting again makes a
            new token and ends the old one.
    Errors: Unavailable if the file cannot be read or written, or holds something else.
    """
    try:
        if not path.exists():
            _write_private(path, "gdns_admin_" + secrets.token_urlsafe(SECRET_OCTETS) + "\n")
        path.chmod(0o600)
        secret = path.read_text("ascii", errors="replace").strip()
    except OSError as error:
        raise Unavailable(f"{path}: the admin token cannot be kept: {error.strerror}.") from error
    if not _ADMIN.fullmatch(secret):
        raise Unavailable(f"{path} holds no admin token. Remove it to have a new one made.")
    if verify(store, secret, now) is None:
        store.put_token(Token("admin", "admin", hash_of_secret(secret), now))


def with_new_secret(token: Token) -> tuple[Token, str]:
    """The token with a new secret in place of the one it has, and that secret."""
    secret = f"gdns_{token.role}_{secrets.token_urlsafe(SECRET_OCTETS)}"
    return replace(token, hash=hash_of_secret(secret)), secret


def verify(store: Store, secret: str, now: datetime) -> Token | None:
    """The token whose secret this is, unless it has expired. Takes equally long for all."""
    digest = hash_of_secret(secret)
    found = [token for token in store.tokens() if opens(token, digest, now)]
    return found[0] if found else None


def opens(token: Token, digest: bytes, now: datetime) -> bool:
    """Whether a secret of this hash is the token's, or was until lately, and it is valid."""
    old = token.old_hash if token.old_until is not None and now < token.old_until else None
    is_new = hmac.compare_digest(token.hash, digest)
    is_old = hmac.compare_digest(old or bytes(len(digest)), digest) and old is not None
    return (is_new or is_old) and (token.expires_at is None or now < token.expires_at)


def hash_of_secret(secret: str) -> bytes:
    """What is kept of a secret."""
    # A plain hash is enough: unlike a password, the secret cannot be guessed.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _write_private(path: Path, text: str) -> None:
    """Write the whole file or none, durably; one that appears meanwhile stays as it is."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)  # Unlike a rename, this never replaces a file.
    finally:
        draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
