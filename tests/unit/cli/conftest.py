"""The commands against a real API over loopback; only what the daemon fills in is recorded."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvicorn
import yaml
from support.ports import Geo, Health

from geodns.api.agents import Registration
from geodns.api.app import create_app
from geodns.api.service import Service
from geodns.cli import main
from geodns.errors import Reason
from geodns.model.config import Config
from geodns.store.keyring import Keyring
from geodns.store.sqlite import SqliteStore
from geodns.store.tokens import ensure_admin_token

NOW = datetime(2026, 11, 23, tzinfo=UTC)

LINES = ["01 www.example.com A = fra1 192.0.2.10", "02 subject \x1b[31m by ECS"]


class Publisher:
    generation = 0

    async def publish(self, config: Config, *, forced: str | None) -> int:
        self.generation += 1
        return self.generation

    async def served(self, generation: int, timeout_s: float) -> bool:
        return True


class Observer:
    """Repeats what it was asked."""

    def explain(
        self, name: str, rtype: str, source: str | None, resolver: str | None
    ) -> dict[str, Any]:
        asked = {"name": name, "type": rtype, "from": source, "resolver": resolver}
        return {"asked": asked, "lines": LINES}

    def node_status(self, node_id: str) -> dict[str, Any]:
        return {"state": "up", "targets": [{"address": "192.0.2.10", "reason": "HTTP \x1b[31m"}]}

    def steer_status(self, zone_id: str, owner: str) -> dict[str, Any] | None:
        return {"cache_entries": {"v4": 9, "v6": 4}, "classes": 3}

    def serial(self, zone_id: str) -> int | None:
        return 2026112301

    def status(self) -> dict[str, Any]:
        return {"engine": "python", "workers": [{"number": 0, "counters": {"udp": 3, "tcp": 0}}]}

    def faults(self, announce: bool) -> list[Reason]:
        return []

    def collect(self) -> list[Any]:
        return []


class Run(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Commands:
    """Runs commands in this process."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *words: str) -> Run:
        code = main(words)
        return Run(code, *self._capfd.readouterr())


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The command line; no server is known to it."""
    for name in ("GEODNS_API", "GEODNS_TOKEN", "GEODNS_SERVER_GEO_DB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GEODNS_SERVER_DATA_DIR", "/nonexistent")
    return Commands(capfd)


@pytest.fixture
def server(tmp_path: Path, run: Commands, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data directory of a running API, which the command line knows of."""
    store = SqliteStore(tmp_path / "store.db")
    ensure_admin_token(store, tmp_path / "admin.token", NOW)

    keyring = Keyring(store, lambda: NOW)
    geo = Geo("test-city 2026-11", "EU-DE 50.11,8.68")
    service = Service(store, Publisher(), geo)
    registration = Registration(service, store)
    parts = (service, Observer(), Health(), geo, registration, store)
    app = create_app(*parts, keyring.owner, "python")
    running = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        (tmp_path / "api.json").write_text(
            json.dumps({"api": url, "dns": ["127.0.0.1:5300"], "pid": 1})
        )
        monkeypatch.setenv("GEODNS_SERVER_DATA_DIR", str(tmp_path))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        yield tmp_path
        running.should_exit = True
        thread.join()
    keyring.close()
    store.close()


@pytest.fixture
def filled(server: Path, run: Commands, document: Path) -> Path:
    """A running API that holds the document."""
    assert run("apply", str(document)).code == 0
    return server


DOCUMENT: dict[str, Any] = {
    "geodns": 1,
    "name": "prod",
    "zones": {
        "example.com": {
            "nameservers": ["ns1.example.net"],
            "steers": {"www": {"pool": "web"}},
            "rrsets": {"mail": {"A": ["192.0.2.25"]}},
        }
    },
    "pools": {"web": {"nodes": ["fra1", "mil1", "nyc1"], "monitor": "web"}},
    "nodes": {
        "fra1": {"addresses": ["192.0.2.10"], "location": {"lat": 50.0, "lon": 8.5}},
        "mil1": {"addresses": ["192.0.2.20"], "location": {"lat": 45.6, "lon": 8.7}},
        "nyc1": {"addresses": ["192.0.2.30"], "location": {"lat": 40.6, "lon": -73.8}},
    },
    "monitors": {"web": {"type": "http", "path": "/healthz"}},
}


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A document in a file."""
    path = tmp_path / "prod.yaml"
    path.write_text(yaml.safe_dump(DOCUMENT))
    return path
