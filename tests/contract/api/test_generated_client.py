"""A client generated from /openapi.json works with a real server, errors included."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.server import Server, running_server

GENERATOR = Path(sys.executable).with_name("openapi-python-client")
CONFIG = {
    # The generator knows no text bodies but plain ones; as octets they are the same.
    "content_type_overrides": {
        "text/csv": "application/octet-stream",
        "text/dns": "application/octet-stream",
    },
    "post_hooks": [],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), workers=1) as server:
        yield server


@pytest.fixture(scope="module")
def base_url(server: Server) -> str:
    return f"http://127.0.0.1:{server.api_port}"


@pytest.fixture(scope="module")
def said(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the generator said; the client it made can be imported as ``geodns_client``."""
    directory = tmp_path_factory.mktemp("generated")
    (directory / "openapi.json").write_text(httpx.get(f"{base_url}/openapi.json").text)
    (directory / "config.json").write_text(json.dumps(CONFIG))
    command = [GENERATOR, "generate", "--path", "openapi.json", "--config", "config.json",
               "--meta", "none", "--output-path", "geodns_client"]  # fmt: skip
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    sys.path.insert(0, str(directory))
    yield done.stdout + done.stderr
    sys.path.remove(str(directory))


@pytest.fixture(scope="module")
def client(said: str, base_url: str, server: Server) -> Any:
    return importlib.import_module("geodns_client").AuthenticatedClient(base_url, server.token)


def model(name: str, /, **fields: Any) -> Any:
    models = importlib.import_module("geodns_client.models")
    return getattr(models, name).from_dict(fields)


def call(path: str, client: Any, *args: Any, **options: Any) -> Any:
    """Status and parsed reply of an operation, like ``nodes.get_node``."""
    operation = importlib.import_module(f"geodns_client.api.{path}")
    reply = operation.sync_detailed(*args, client=client, **options)
    return int(reply.status_code), reply.parsed


def test_every_operation_is_generated_without_a_warning(said: str, base_url: str) -> None:
    assert "WARNING" not in said
    assert "Warning" not in said
    contract = httpx.get(f"{base_url}/openapi.json").json()
    api = Path(importlib.import_module("geodns_client").__file__ or "").parent / "api"
    made = {file.stem for file in api.glob("*/*.py")}
    wanted = {each["operationId"] for path in contract["paths"].values() for each in path.values()}
    assert wanted <= made


def test_resources_are_made_read_changed_and_removed(client: Any) -> None:
    zone = model("NewZone", id="example.test", nameservers=["ns1.example.net"])
    status, made = call("zones.create_zone", client, body=zone)
    assert (status, made.id, made.negative_ttl) == (201, "example.test", 30)
    location = {"lat": 50.1, "lon": 8.7}
    node = model("NewNode", id="fra1", addresses=["127.0.1.1"], location=location)
    status, made = call("nodes.create_node", client, body=node, idempotency_key="k1")
    assert (status, made.addresses, made.location.lat) == (201, ["127.0.1.1"], 50.1)
    assert call("nodes.create_node", client, body=node, idempotency_key="k1")[0] == 201
    pool = model("PoolBody", nodes=["fra1"])
    status, made = call("pools.put_pool", client, "web", body=pool)
    assert (status, made.order.value) == (201, "nearest")
    assert {reason.code for reason in made.warnings} == {"unmonitored", "unused"}
    steer = model("SteerBody", pool="web")
    assert call("steers.put_steer", client, "example.test", "www", body=steer, wait=True)[0] == 201

    status, page = call("nodes.list_nodes", client, prefix="fra", limit=5)
    assert (status, [each.id for each in page.items], page.next_) == (200, ["fra1"], None)
    status, read = call("nodes.get_node", client, "fra1")
    assert (status, read.status.state.value) == (200, "unknown")  # no monitor
    status, told = call("questions.explain", client, name="www.example.test", from_="81.2.69.0/24")
    assert (status, told.nodes, told.addresses) == (200, ["fra1"], ["127.0.1.1"])
    patch = model("NodePatch", weight=7)
    status, changed = call("nodes.patch_node", client, "fra1", body=patch)
    assert (status, changed.weight) == (200, 7)
    status, planned = call("zones.delete_zone", client, "example.test", plan=True)
    assert (status, [each.kind.value for each in planned.changes]) == (200, ["remove"] * 2)
    status, audit = call("history.list_audit", client, limit=1)
    assert (status, audit.items[0].changes[0].id) == (200, "fra1")

    force = {"force": True, "reason": "end of the test"}
    assert call("zones.delete_zone", client, "example.test", **force)[0] == 204
    assert call("pools.delete_pool", client, "web") == (204, None)
    assert call("nodes.delete_node", client, "fra1", **force) == (204, None)


def test_refusals_come_with_every_reason(client: Any) -> None:
    pool = model("PoolBody", nodes=["nowhere"], monitor="none")
    status, problem = call("pools.put_pool", client, "web", body=pool)
    reasons = [(reason.pointer, reason.code, reason.value) for reason in problem.reasons]
    assert (status, problem.title) == (422, "Refused")
    assert reasons == [
        ("/nodes/0", "unknown_reference", "nowhere"),
        ("/monitor", "unknown_reference", "none"),
    ]
    assert call("nodes.get_node", client, "none")[0] == 404
    bare = importlib.import_module("geodns_client").AuthenticatedClient(client._base_url, "wrong")
    assert call("nodes.get_node", bare, "none")[0] == 401


def test_a_whole_document_is_planned_applied_and_exported(client: Any) -> None:
    fields = {"geodns": 1, "name": "t", "monitors": {"m": {"type": "icmp"}}}
    document = model("Document", **fields)
    status, planned = call("document.plan_document", client, body=document)
    assert (status, [change.pointer for change in planned.changes]) == (200, ["/monitors/m"])
    status, done = call("document.apply_document", client, body=document)
    assert (status, done.changed) == (200, True)
    status, exported = call("document.export_document", client)
    assert exported.to_dict()["monitors"] == fields["monitors"]
