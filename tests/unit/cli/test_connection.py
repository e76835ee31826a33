"""Where commands find the API, and to whom they tell the token."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from geodns.net.connection import Connection

Commands = Callable[..., Any]


class Request(NamedTuple):
    """A request that left."""

    api: str
    headers: Mapping[str, str]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests that left; each is answered by an empty list."""
    requests: list[Request] = []

    @contextmanager
    def exchange(self: Any, *asked: Any) -> Iterator[Any]:
        requests.append(Request(self._base_url, asked[3]))
        text = b'{"items": [], "next": null}'
        headers = {"content-type": "application/json"}
        yield SimpleNamespace(status=200, headers=headers, read=lambda _: text, length=0)

    monkeypatch.setattr(Connection, "exchange", exchange)
    return requests


def announce(directory: Path, api: str = "http://127.0.0.1:8053") -> None:
    (directory / "api.json").write_text(json.dumps({"api": api, "dns": [], "pid": 1}))
    (directory / "admin.token").write_text("own-token\n")


def test_the_data_directory_tells_address_and_token(
    run: Commands, sent: list[Request], tmp_path: Path
) -> None:
    announce(tmp_path)
    assert run("node", "list", "--data-dir", str(tmp_path)).code == 0
    assert sent[0].api == "http://127.0.0.1:8053"
    assert sent[0].headers["Authorization"] == "Bearer own-token"


def test_the_environment_is_before_the_data_directory(
    run: Commands, sent: list[Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(tmp_path)
    monkeypatch.setenv("GEODNS_API", "https://api.example.net")
    monkeypatch.setenv("GEODNS_TOKEN", "other-token")
    assert run("node", "list", "--data-dir", str(tmp_path)).code == 0
    assert sent[0].api == "https://api.example.net"
    assert sent[0].headers["Authorization"] == "Bearer other-token"


def test_the_token_of_the_directory_is_never_sent_to_another_server(
    run: Commands, sent: list[Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(tmp_path)
    monkeypatch.setenv("GEODNS_API", "https://api.example.net")
    refused = run("node", "list", "--data-dir", str(tmp_path))
    assert (refused.code, sent) == (2, [])
    assert "GEODNS_TOKEN" in refused.err


def test_without_a_server_it_says_how_to_start_one(run: Commands, tmp_path: Path) -> None:
    refused = run("node", "list", "--data-dir", str(tmp_path))
    assert refused.code == 4
    assert str(tmp_path) in refused.err
    assert "geodns serve" in refused.err


def test_a_server_that_is_gone_is_unavailable(run: Commands, tmp_path: Path) -> None:
    announce(tmp_path, "http://127.0.0.1:1")
    refused = run("node", "list", "--data-dir", str(tmp_path))
    assert (refused.code, refused.out) == (4, "")
    assert refused.err.startswith("geodns: ")


def test_a_wrong_token_is_refused(
    run: Commands, server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEODNS_TOKEN", "wrong")
    refused = run("node", "list")
    assert (refused.code, refused.out) == (2, "")
    assert "token" in refused.err.lower()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"api": "http://x", "dns": ["x"]}', "\udcff", "[" * 9999]
)
def test_a_damaged_announcement_is_refused(run: Commands, tmp_path: Path, text: str) -> None:
    (tmp_path / "api.json").write_bytes(text.encode(errors="surrogateescape"))
    refused = run("node", "list", "--data-dir", str(tmp_path))
    assert (refused.code, refused.out) == (2, "")
    assert "api.json" in refused.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_token_that_may_not_be_read_says_whose_it_is(run: Commands, tmp_path: Path) -> None:
    announce(tmp_path)
    (tmp_path / "admin.token").chmod(0)
    refused = run("node", "list", "--data-dir", str(tmp_path))
    assert (refused.code, "Permission denied" in refused.err) == (2, True)


def test_a_server_of_another_version_is_named_where_it_could_matter(
    filled: Path, run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    slip = ("node", "set", "fra1", "weigth=1")
    assert "note:" not in run(*slip).err
    monkeypatch.setattr("geodns.cli.resources.__version__", "9.9")
    told = run(*slip).err.splitlines()
    assert told[0].endswith("this command is of 9.9: what one knows the other may not.")
    assert "Did you mean weight?" in told[1]


def test_http_where_https_is_meant_and_the_other_way(
    server: Path, run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = json.loads((server / "api.json").read_text())["api"]
    monkeypatch.setenv("GEODNS_API", own.replace("http:", "https:"))
    monkeypatch.setenv("GEODNS_TOKEN", "x")
    refused = run("node", "list")
    assert (refused.code, "does not speak TLS: is it http?" in refused.err) == (4, True)
