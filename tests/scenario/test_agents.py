"""Nodes that bring themselves in, show that they live, and lapse; verdicts from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.server import COMMAND, Server, environment, running_server, until

USER = "81.2.69.0/24"
NAME = "www.example.test"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("agents")
    with running_server(directory) as running:
        running.apply(
            {
                "zones": {
                    "example.test": {
                        "nameservers": [{"name": "ns.example.test.", "addresses": ["127.0.0.1"]}],
                        "steers": {"www": {"pool": "web"}, "told": {"pool": "told"}},
                    }
                },
                "monitors": {"ci": {"type": "push", "lease_s": 3}},
                "pools": {
                    "web": {"select": {"tier": "edge"}},
                    "told": {"nodes": ["a", "b"], "monitor": "ci", "order": "listed"},
                },
                "nodes": {
                    "a": {"addresses": ["192.0.2.1"], "location": {"lat": 51, "lon": 0}},
                    "b": {"addresses": ["192.0.2.2"], "location": {"lat": 51, "lon": 9}},
                },
            }
        )
        yield running


@pytest.fixture(scope="module")
def token(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    body = {"id": "edges", "role": "agent", "nodes": ["edge-*"]}
    path = tmp_path_factory.mktemp("edge") / "token"
    path.write_text(server.api("POST", "tokens", body)["secret"])
    return path


def start(server: Server, token: Path, node: str, address: str, *more: str) -> Any:
    words = ["agent", "--server", str(server._client.base_url), "--token-file", str(token)]
    words += ["--id", node, "--address", address, "--label", "tier=edge", "--lease", "3s"]
    words += ["--location", "51.5,-0.1", *more]
    return subprocess.Popen([*COMMAND, *words], env=environment(), stderr=subprocess.PIPE)


def state(server: Server, node: str) -> str:
    reply = server.request("GET", f"nodes/{node}")
    return str(reply.json()["status"]["state"]) if reply.is_success else "absent"


def test_an_agent_registers_and_lapses_when_it_is_killed(server: Server, token: Path) -> None:
    one = start(server, token, "edge-one", "198.51.100.1")
    two = start(server, token, "edge-two", "198.51.100.2", "--load-command", "echo 0.5")
    try:
        both = {"198.51.100.1", "198.51.100.2"}
        until(lambda: {a for _ in range(8) for a in server.addresses(NAME, USER)} == both)
        time.sleep(4)
        assert state(server, "edge-one") != "down", "it beats"
        one.send_signal(signal.SIGKILL)
        assert until(lambda: state(server, "edge-one") == "down") < 5
        told = server.api("GET", "nodes/edge-one")["status"]["targets"][0]
        assert told["reason"] == "no sign of life for 3 s"
        until(lambda: server.addresses(NAME, USER) == {"198.51.100.2"})
        one.wait()
        one = start(server, token, "edge-one", "198.51.100.1")
        until(lambda: state(server, "edge-one") != "down")
    finally:
        for each in (one, two):
            each.terminate()
            assert each.wait(10) == 0
            each.stderr.close()


def test_signs_of_life_cannot_come_while_control_is_away(server: Server, token: Path) -> None:
    one = start(server, token, "edge-one", "198.51.100.1")
    try:
        until(lambda: state(server, "edge-one") not in ("down", "absent"))
        stopped = server.pid_of("control")
        os.kill(stopped, signal.SIGKILL)
        until(lambda: server.pid_of("control") not in (0, stopped))
        until(server.ready)
        assert state(server, "edge-one") != "down"
    finally:
        one.terminate()
        one.wait(10)
        one.stderr.close()


def test_the_nodes_own_secret_shuts_the_shared_token_out(server: Server, token: Path) -> None:
    own = (token.parent / "edge-one.secret").read_text()
    assert (token.parent / "edge-one.secret").stat().st_mode & 0o777 == 0o600
    body = {"addresses": ["198.51.100.66"], "lease_s": 30, "labels": {"tier": "edge"}}

    def write(secret: str, method: str, path: str, wanted: Any) -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        url = f"/api/v1/{path}"
        return server._client.request(method, url, json=wanted, headers=headers).status_code

    shared = token.read_text()
    assert write(shared, "PUT", "nodes/edge-one", body) == 403
    assert write(shared, "PUT", "nodes/edge-one/heartbeat", {}) == 403
    assert write(shared, "PUT", "nodes/other", body) == 403
    assert write(shared, "PUT", "nodes/a", body) == 403
    assert write(shared, "GET", "document", None) == 403
    assert write(shared, "GET", "tokens", None) == 403
    assert write(own, "PUT", "nodes/edge-one/heartbeat", {"load": 0.5}) == 204
    assert write(own, "PUT", "nodes/edge-one/heartbeat", {"load": -1}) == 422
    assert write(own, "PUT", "nodes/edge-two/heartbeat", {}) == 403
    assert write(own, "DELETE", "nodes/edge-one", None) == 403
    assert write(own, "PATCH", "nodes/edge-one", {"lease_s": None}) == 422


def test_a_refused_agent_ends_and_says_why(server: Server, token: Path) -> None:
    refused = start(server, token, "other", "198.51.100.9")
    _, said = refused.communicate(timeout=30)
    assert refused.returncode == 2
    assert b"role agent" in said


def test_a_pushed_verdict_holds_for_its_lease_and_outlives_health(server: Server) -> None:
    def answer() -> set[str]:
        return server.addresses("told.example.test", USER)

    def push(node: str, verdict: str, **more: Any) -> int:
        body = {"state": verdict, **more}
        return server.request("PUT", f"monitors/ci/verdicts/{node}", body).status_code

    revision = server.api("GET", "status")["revision"]
    assert push("b", "up", lease_s=3) == 204
    assert push("a", "down", reason="deploy failed") == 204
    until(lambda: answer() == {"192.0.2.2"})
    told = server.api("GET", "nodes/a")["status"]["targets"][0]
    assert (told["state"], told["reason"]) == ("down", "deploy failed")
    assert push("a", "up") == 204
    until(lambda: answer() == {"192.0.2.1"})
    lapsed_s = until(lambda: state(server, "a") == "down")
    assert 2 < lapsed_s < 5
    assert server.api("GET", "status")["revision"] == revision
    assert push("a", "sideways") == 422
    assert push("none", "up") == 404
    assert push("a", "up", address="192.0.2.99") == 422
    assert server.request("PUT", "monitors/none/verdicts/a", {"state": "up"}).status_code == 404


def test_tokens_are_made_listed_and_ended(server: Server) -> None:
    body = {"id": "eyes", "role": "reader"}
    made = server.api("POST", "tokens", body)
    assert server.request("POST", "tokens", body).status_code == 409
    assert made["secret"].startswith("gdns_reader_")
    listed = server.api("GET", "tokens")["items"]
    assert "eyes" in [each["id"] for each in listed]
    assert made["secret"] not in str(listed)
    headers = {"Authorization": f"Bearer {made['secret']}"}
    client = server._client
    assert client.get("/api/v1/nodes", headers=headers).status_code == 200
    refused = client.put("/api/v1/nodes/x", json={}, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")
    assert client.get("/api/v1/tokens", headers=headers).status_code == 403
    assert server.request("DELETE", "tokens/eyes").status_code == 204
    assert client.get("/api/v1/nodes", headers=headers).status_code == 401
    assert server.request("DELETE", "tokens/admin").status_code == 409
    assert server.request("POST", "tokens", {"id": "x", "role": "agent"}).status_code == 422
    past = {"id": "x", "role": "reader", "expires_at": "2020-01-01T00:00:00Z"}
    assert server.request("POST", "tokens", past).status_code == 422
