"""The API over a real store and a real check; only what the daemon fills in is recorded."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.core import Metric
from support.ports import Geo, Health

from geodns.api.agents import Registration
from geodns.api.app import create_app
from geodns.api.metrics import family
from geodns.api.service import Service
from geodns.errors import Reason
from geodns.model.config import Config
from geodns.store.keyring import Keyring
from geodns.store.sqlite import SqliteStore
from geodns.store.tokens import ensure_admin_token

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Publisher:
    """Counts generations; ``refusal`` and ``serves`` say how it behaves."""

    generation: int = 0
    published: list[tuple[Config, str | None]] = field(default_factory=list)
    refusal: Exception | None = None
    serves: bool = True

    async def publish(self, config: Config, *, forced: str | None) -> int:
        self.published.append((config, forced))
        if self.refusal is not None:
            raise self.refusal
        self.generation += 1
        return self.generation

    async def served(self, generation: int, timeout_s: float) -> bool:
        return self.serves


@dataclass
class Observer:
    """Repeats what it is asked; ``found`` are the faults it sees."""

    found: list[Reason] = field(default_factory=list)
    crash: bool = False

    def explain(
        self, name: str, rtype: str, source: str | None, resolver: str | None
    ) -> dict[str, Any]:
        return {"name": name, "type": rtype, "source": source, "resolver": resolver}

    def node_status(self, node_id: str) -> dict[str, Any]:
        return {"state": "up", "targets": []}

    def serial(self, zone_id: str) -> int | None:
        return 7

    def steer_status(self, zone_id: str, owner: str) -> dict[str, Any] | None:
        return {"cache_entries": {"v4": 9, "v6": 4}, "classes": 3}

    def webhook_status(self, webhook_id: str) -> dict[str, Any] | None:
        return {"waiting": 0, "delivered": 0, "failed": 0, "dropped": 0, "last": None}

    def status(self) -> dict[str, Any]:
        if self.crash:
            raise RuntimeError("a secret of the inner parts")
        return {"engine": "python"}

    def faults(self, announce: bool) -> list[Reason]:
        return [reason for reason in self.found if announce or reason.code != "announce_only"]

    def collect(self) -> Iterable[Metric]:
        yield family("geodns_health_holding", ((), 1))


class Api:
    """Speaks HTTP with one instance, whose background work goes on between requests."""

    def __init__(self, directory: Path) -> None:
        self.now = NOW
        self.store = SqliteStore(directory / "store.db")
        ensure_admin_token(self.store, directory / "admin.token", NOW)
        self.token = (directory / "admin.token").read_text().strip()
        self.keyring = Keyring(self.store, lambda: self.now)
        self.publisher, self.observer, self.geo = Publisher(), Observer(), Geo()
        self.health = Health()
        self.service = Service(self.store, self.publisher, self.geo)
        self.registration = Registration(self.service, self.store)
        self.app = self.new_app()
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=("198.51.100.7", 4711)),
            base_url="http://api.test",
            headers={"Authorization": f"Bearer {self.token}"},
        )

    def new_app(self, **options: Any) -> FastAPI:
        parts = (self.service, self.observer, self.health, self.geo)
        owner = self.keyring.owner
        return create_app(*parts, self.registration, self.store, owner, "python", **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        url = path if path.startswith("/") else f"/api/v1/{path}"
        return self._runner.run(self._client.request(method, url, **options))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do background work of the instance."""
        self._runner.run(work)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def put(self, path: str, body: object, **options: Any) -> httpx.Response:
        return self.request("PUT", path, json=body, **options)

    def post(self, path: str, body: object, **options: Any) -> httpx.Response:
        return self.request("POST", path, json=body, **options)

    def patch(self, path: str, body: object, **options: Any) -> httpx.Response:
        return self.request("PATCH", path, json=body, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **options)

    def raw(self, method: str, path: str, body: bytes, **headers: str) -> httpx.Response:
        fields = {"content-type": "application/json"}
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.request(method, path, content=body, headers=fields)

    def ask(self, app: FastAPI, method: str, path: str, **options: Any) -> httpx.Response:
        """One request to another application over the same parts, as after a restart."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app, client=("198.51.100.7", 4711))
            fields = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
            async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
                return await client.request(method, f"/api/v1/{path}", headers=fields, **options)

        return self._runner.run(asked())

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
        self.keyring.close()
        self.store.close()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


DOCUMENT: dict[str, Any] = {
    "geodns": 1,
    "name": "prod",
    "zones": {
        "example.com": {
            "nameservers": ["ns1.example.net"],
            "steers": {"@": {"pool": "web"}, "www": {"pool": "web"}},
            "rrsets": {"@": {"MX": ["10 mail.example.com."]}, "mail": {"A": ["192.0.2.25"]}},
        }
    },
    "pools": {"web": {"nodes": ["fra1", "mil1", "nyc1", "sin1"], "monitor": "web"}},
    "nodes": {
        "fra1": {"addresses": ["192.0.2.10"], "location": {"lat": 50.0, "lon": 8.5}},
        "mil1": {"addresses": ["192.0.2.20"], "location": {"lat": 45.6, "lon": 8.7}},
        "nyc1": {"addresses": ["192.0.2.30"], "location": {"lat": 40.6, "lon": -73.8}},
        "sin1": {"addresses": ["192.0.2.40"], "location": {"lat": 1.4, "lon": 103.9}},
    },
    "monitors": {"web": {"type": "http", "path": "/healthz"}},
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API with the example for all cases of a test that draws many."""
    api = Api(tmp_path_factory.mktemp("shared"))
    assert api.put("document", DOCUMENT).status_code == 200
    yield api
    api.close()


@pytest.fixture
def document() -> dict[str, Any]:
    """The example of the contract, its own copy for each test."""
    return copy.deepcopy(DOCUMENT)


@pytest.fixture
def prod(api: Api, document: dict[str, Any]) -> Api:
    """An API with the example applied."""
    assert api.put("document", document).status_code == 200
    return api
