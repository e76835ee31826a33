"""A real server keeps to its own contract, whatever is sent; the soak sends more of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.contract import hold_to_contract
from support.server import running_server

BUDGET_S = 30


@pytest.mark.slow
def test_a_server_keeps_to_its_contract(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=1) as server:
        done = hold_to_contract(
            f"http://127.0.0.1:{server.api_port}", server.token, tmp_path,
            "--phases", "fuzzing,stateful", "--max-examples", "1", "--seed", "7",
            "--max-time", str(BUDGET_S), "--exclude-checks", "ignored_auth",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
        assert server.ready()


def operations(contract: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, methods in contract["paths"].items()
        for method in methods
        if path.startswith("/api")
    ]


def test_no_operation_answers_without_a_token(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodns.api.auth.FAILURE_INTERVAL_S", 0.0)
    contract = shared.get("/openapi.json").json()
    assert len(operations(contract)) > 80
    for method, path in operations(contract):
        for value in ("", "Bearer wrong", "Basic YTpi", shared.token):
            reply = shared.request(method, path, headers={"Authorization": value})
            assert reply.status_code == 401, (method, path)
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
