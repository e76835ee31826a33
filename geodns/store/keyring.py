"""The tokens in memory: who asks is known without a look at the disk."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock, Timer

from geodns.errors import Unavailable
from geodns.store.base import Store, Token
from geodns.store.tokens import hash_of_secret, opens

USED_EVERY = timedelta(minutes=1)
"""How exactly the last use of a token is known. Source: the issue that asked for it."""

SAVE_AFTER_S = 1.0
"""How long uses are gathered before they are written together. Source: no reference; one write a
second is all that it costs however many tokens are used."""

log = logging.getLogger("geodns.store")


class Keyring:
    """Whose secret is it? Follows the store, whoever writes to it, and asks it for next to nothing.

    Shape: while the store cannot be read, what it held last is what counts.
    """

    def __init__(
        self, store: Store, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._clock = clock
        self._lock = Lock()
        self._number = -1
        self._tokens: dict[str, Token] = {}
        self._ids: dict[bytes, str] = {}
        self._blinding = secrets.token_bytes(hashlib.blake2b.MAX_KEY_SIZE)
        self._used = store.uses()
        self._unsaved: dict[str, datetime] = {}
        self._saving: Timer | None = None
        self._complained = False
        for token_id in store.damaged_tokens():
            log.error("token %s is damaged and counts for nothing; end it, make it anew", token_id)
        self._follow()

    def owner(self, secret: str) -> Token | None:
        """The token whose secret this is, unless it has expired."""
        digest, now = hash_of_secret(secret), self._clock()
        with self._lock:
            self._follow_if_possible()
            # How long it takes to find a mark tells nothing of a hash: marks are keyed.
            token = self._tokens.get(self._ids.get(self._mark(digest), ""))
            if token is None or not opens(token, digest, now):
                return None
            self._note_use(token.id, now)
            return token

    def close(self) -> None:
        """Write what is not written yet. Errors: none; a last use may be lost."""
        with self._lock:
            if self._saving is not None:
                self._saving.cancel()
        self._save()

    # --- Following the store ---

    def _follow_if_possible(self) -> None:
        try:
            self._follow()
        except Unavailable as error:
            if not self._complained:
                log.error("tokens are those that were known last: %s", error)
            self._complained = True
        else:
            self._complained = False

    def _follow(self) -> None:
        news = self._store.tokens_since(self._number)
        if news.whole:
            self._tokens, self._ids = {}, {}
        for token_id, token in news.tokens.items():
            self._replace(token_id, token)
        self._number = news.number

    def _replace(self, token_id: str, token: Token | None) -> None:
        for mark in self._marks(self._tokens.pop(token_id, None)):
            if self._ids.get(mark) == token_id:
                del self._ids[mark]
        if token is not None:
            self._tokens[token_id] = token
            self._ids |= dict.fromkeys(self._marks(token), token_id)

    def _marks(self, token: Token | None) -> list[bytes]:
        hashes = (token.hash, token.old_hash) if token else ()
        return [self._mark(each) for each in hashes if each is not None]

    def _mark(self, digest: bytes) -> bytes:
        return hashlib.blake2b(digest, digest_size=16, key=self._blinding).digest()

    # --- Last uses ---

    def _note_use(self, token_id: str, now: datetime) -> None:
        last = self._used.get(token_id)
        if last is not None and timedelta() <= now - last < USED_EVERY:
            return
        self._used[token_id] = self._unsaved[token_id] = now
        if self._saving is None:
            self._saving = Timer(SAVE_AFTER_S, self._save)
            self._saving.daemon = True
            self._saving.start()

    def _save(self) -> None:
        with self._lock:
            uses, self._unsaved, self._saving = self._unsaved, {}, None
        try:
            if uses:
                self._store.note_uses(uses)
        except Unavailable as error:
            log.warning("when tokens were used last is not kept: %s", error)
