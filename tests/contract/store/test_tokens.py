"""The admin token: made once, readable by its owner only, valid as long as its file."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geodns.errors import Unavailable
from geodns.store.base import Store, Token
from geodns.store.tokens import ensure_admin_token, verify

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "admin.token"


def secret_of(store: Store, path: Path) -> str:
    ensure_admin_token(store, path, NOW)
    return path.read_text().strip()


def test_the_first_start_makes_a_secret_that_is_valid(store: Store, path: Path) -> None:
    secret = secret_of(store, path)
    assert re.fullmatch(r"gdns_admin_[A-Za-z0-9_-]{43}", secret)
    found = verify(store, secret, NOW)
    assert found is not None
    assert (found.id, found.role) == ("admin", "admin")


def test_only_its_owner_can_read_the_file_and_no_draft_is_left(store: Store, path: Path) -> None:
    secret_of(store, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.glob("admin.token*")] == ["admin.token"]


def test_the_secret_itself_is_not_stored(store: Store, path: Path) -> None:
    secret = secret_of(store, path)
    assert secret not in repr(store.tokens())
    for file in path.parent.glob("store.db*"):
        assert secret.encode() not in file.read_bytes()


def test_a_later_start_keeps_the_token(store: Store, path: Path) -> None:
    first = secret_of(store, path)
    tokens = store.tokens()
    assert secret_of(store, path) == first
    assert store.tokens() == tokens


def test_a_file_that_others_could_read_is_closed_to_them(store: Store, path: Path) -> None:
    secret_of(store, path)
    path.chmod(0o644)
    secret_of(store, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_removing_the_file_makes_a_new_token_and_ends_the_old(store: Store, path: Path) -> None:
    old = secret_of(store, path)
    path.unlink()
    new = secret_of(store, path)
    assert verify(store, old, NOW) is None
    assert verify(store, new, NOW) is not None


def test_a_token_file_put_there_beforehand_is_accepted(store: Store, path: Path) -> None:
    path.write_text("gdns_admin_" + "x" * 43)
    secret_of(store, path)
    assert verify(store, "gdns_admin_" + "x" * 43, NOW) is not None


@pytest.mark.parametrize("text", ["", "password\n", "gdns_admin_short", "gdns_admin_" + "ü" * 43])
def test_a_file_without_a_token_is_refused_with_a_remedy(
    store: Store, path: Path, text: str
) -> None:
    path.write_text(text)
    with pytest.raises(Unavailable, match="Remove it"):
        ensure_admin_token(store, path, NOW)
    assert store.tokens() == []


def test_a_token_that_cannot_be_written_is_explained(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be kept"):
        ensure_admin_token(store, tmp_path / "gone" / "admin.token", NOW)


@pytest.mark.parametrize("secret", ["", "gdns_admin_" + "x" * 43, "ü", "\ud800", "\x00"])
def test_any_other_secret_is_no_token(store: Store, path: Path, secret: str) -> None:
    secret_of(store, path)
    assert verify(store, secret, NOW) is None


def test_a_token_is_valid_until_it_expires(store: Store, path: Path) -> None:
    secret = secret_of(store, path)
    (admin,) = store.tokens()
    end = NOW + timedelta(hours=1)
    store.put_token(Token(admin.id, admin.role, admin.hash, NOW, end))
    assert verify(store, secret, end - timedelta(seconds=1)) is not None
    assert verify(store, secret, end) is None
