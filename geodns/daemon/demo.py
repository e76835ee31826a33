"""`geodns demo`: a whole geodns with eight edge nodes, on this machine, in a minute."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from geodns.daemon.demo_node import start_node
from geodns.errors import GeodnsError, Reason, Unavailable
from geodns.settings import load

START_S = 20.0
"""How long the server may take to be ready. Source: no reference; it takes 3 s on two cores."""

NAME = "www.example.test"

USERS = {
    "Germany": "84.128.0.0/24",
    "United Kingdom": "81.2.69.0/24",
    "New York, US": "128.59.0.0/24",
    "California, US": "128.32.0.0/24",
    "Brazil": "200.160.2.0/24",
    "South Africa": "196.25.1.0/24",
    "Japan": "133.11.93.0/24",
    "Australia": "203.2.218.0/24",
    "Italy, IPv6": "2001:760::/32",
}
"""Networks that have stood in one country for decades: universities, carriers, registries."""


def run(dns_port: int, api_port: int, node_port: int = 8080, keep: Path | None = None) -> int:
    """Run the demo until Ctrl-C; returns the exit status.

    Shape: ``keep`` is a data directory that stays; without it a temporary one is used.
    Errors: ConfigError and Unavailable for what keeps it from starting.
    """
    data_dir = keep or Path(tempfile.mkdtemp(prefix="geodns-demo-"))
    demo = _Demo(data_dir, dns_port, api_port, node_port)
    try:
        return demo.run()
    finally:
        demo.end()
        if keep is None:
            shutil.rmtree(data_dir, ignore_errors=True)


class _Demo:
    def __init__(self, data_dir: Path, dns_port: int, api_port: int, node_port: int) -> None:
        self._data_dir = data_dir
        self._dns_port = dns_port
        self._api_port = api_port
        self._node_port = node_port
        self._nodes: dict[str, int] = {}
        self._server = 0

    def run(self) -> int:
        signal.signal(signal.SIGTERM, _interrupt)
        document = _document(self._node_port)
        for node, body in document["nodes"].items():
            self._nodes[node] = start_node(node, body["addresses"][0], self._node_port)
        self._server = self._start_server()
        try:
            self._wait_for_api()
            self._apply(document)
            _say(self._instructions(document))
            return self._wait()
        except KeyboardInterrupt:
            _say("\nEnding.\n")
            return 0

    def end(self) -> None:
        """End every process that was started."""
        for pid in self._nodes.values():
            for number in (signal.SIGKILL, signal.SIGCONT):
                _kill(pid, number)
        _kill(self._server, signal.SIGTERM)
        for pid in (*self._nodes.values(), self._server):
            if pid:
                os.waitpid(pid, 0)
        self._nodes, self._server = {}, 0

    def _start_server(self) -> int:
        settings = load(
            {
                "data_dir": str(self._data_dir),
                "runtime_dir": str(self._data_dir / "run"),  # goes when the data goes
                "dns": [f"127.0.0.1:{self._dns_port}"],
                "api": f"127.0.0.1:{self._api_port}",
                "log_level": "info",
            },
            {},
            None,
        )
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            from geodns.daemon.serve import run as serve

            code = serve(settings)
        except GeodnsError as error:
            for reason in error.reasons:
                sys.stderr.write(f"geodns: {self._with_flag(reason)}\n")
            code = error.exit_code
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _with_flag(self, reason: Reason) -> Reason:
        """The server's reason; about a port, with the flag that the demo has for it."""
        flags = {self._dns_port: "--dns-port", self._api_port: "--api-port"}
        for port, flag in flags.items():
            if reason.value == f"127.0.0.1:{port}" and reason.hint:
                return replace(reason, hint=f"{reason.hint.rstrip('.')} with {flag}.")
        return reason

    # -- Talking to the server as anybody would

    def _wait_for_api(self) -> None:
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s:
            self._check_server()
            with socket.socket() as probe:
                if (
                    not probe.connect_ex(("127.0.0.1", self._api_port))
                    and self._token_file.exists()
                ):
                    return
            time.sleep(0.05)
        raise Unavailable(f"The API did not start within {START_S:g} s.")

    def _check_server(self) -> None:
        pid, status = os.waitpid(self._server, os.WNOHANG)
        if pid:
            self._server = 0
            raise _Ended(os.waitstatus_to_exitcode(status))

    def _apply(self, document: dict[str, Any]) -> None:
        from geodns.net import Client

        token = self._token_file.read_text().strip()
        with Client(f"http://127.0.0.1:{self._api_port}", token) as client:
            client.request("PUT", "/api/v1/document", document, {"wait": "true"})
            until_s = time.monotonic() + START_S
            while time.monotonic() < until_s:
                status = client.request("GET", "/api/v1/status").body
                if status["targets"] and all(t["state"] != "unknown" for t in status["targets"]):
                    break
                time.sleep(0.05)
            self._answers = {
                user: client.request(
                    "GET", "/api/v1/explain", params={"name": NAME, "from": subnet}
                ).body
                for user, subnet in USERS.items()
            }

    @property
    def _token_file(self) -> Path:
        return self._data_dir / "admin.token"

    def _wait(self) -> int:
        while True:
            self._check_server()
            time.sleep(0.2)

    # -- What it prints

    def _instructions(self, document: dict[str, Any]) -> str:
        dig = f"dig @127.0.0.1 -p {self._dns_port}"
        users = [
            f"  {dig} +short +subnet={USERS[user]} {NAME}    "
            f"# {user}: {', '.join(told['addresses'])} ({', '.join(told['nodes'])})"
            for user, told in self._answers.items()
        ]
        nodes = [
            f"  {node}  {body['addresses'][0]:11}  {body['labels']['site']:14} process {pid}"
            for (node, body), pid in zip(
                document["nodes"].items(), self._nodes.values(), strict=True
            )
        ]
        return "\n".join(
            [
                "geodns demo: zone example.test, 8 nodes, checks every second.",
                "",
                "Ask as a user somewhere else would:",
                *users,
                "",
                "Why is that the answer?",
                f"  {dig} +short TXT +subnet={USERS['Germany']} _explain.{NAME}",
                "",
                "The nodes:",
                *nodes,
                "",
                "Stop one and watch its users move, in two or three seconds; then bring it back:",
                f"  kill -STOP {self._nodes['fra1']}",
                f"  {dig} +short +subnet={USERS['Germany']} {NAME}",
                f"  kill -CONT {self._nodes['fra1']}",
                "",
                f"API:   http://127.0.0.1:{self._api_port}/docs, token in {self._token_file}",
                f"CLI:   export GEODNS_SERVER_DATA_DIR={self._data_dir.resolve()}; "
                f"{_program()} status",
                "End:   Ctrl-C",
                "",
            ]
        )


def _program() -> str:
    """What to type for this program: as it was called, where no PATH leads to it."""
    return "geodns" if shutil.which("geodns") else sys.argv[0]


class _Ended(GeodnsError):
    """The server ended by itself; if it failed, it has said why."""

    def __init__(self, code: int) -> None:
        super().__init__(() if code > 0 else "The server of the demo was ended.")
        self.exit_code = code


def _document(node_port: int) -> dict[str, Any]:
    from geodns.document.load import read_yaml

    document = read_yaml((files("geodns.data") / "demo.yaml").read_text())
    found: dict[str, Any] = json.loads(json.dumps(document))
    found["monitors"]["web"]["port"] = node_port
    return found


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _kill(pid: int, number: signal.Signals) -> None:
    if pid:
        os.kill(pid, number)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
