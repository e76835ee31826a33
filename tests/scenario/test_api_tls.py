"""The API over TLS through the whole server: certificates come and go, the command line follows."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme
from support.server import COMMAND, Server, environment, serve_once, until

CA = trustme.CA()


def issue(directory: Path, name: str) -> None:
    """A certificate and its key, renamed over what was there."""
    issued = CA.issue_cert(name, "127.0.0.1")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    for file, octets in (("tls.key", issued.private_key_pem.bytes()), ("tls.crt", chain)):
        (directory / "new").write_bytes(octets)
        (directory / "new").replace(directory / file)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Server]:
    issue(tmp_path, "old.test")
    CA.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = Server(tmp_path, api_tls_cert=tmp_path / "tls.crt", api_tls_key=tmp_path / "tls.key")
    context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    server._client = httpx.Client(
        base_url=f"https://127.0.0.1:{server.api_port}", timeout=15, verify=context
    )
    server.start()
    yield server
    server.close()


def shown(server: Server) -> str:
    """Whom the certificate that a new connection sees is for."""
    context = ssl.create_default_context()
    CA.configure_trust(context)
    with (
        socket.create_connection((server.host, server.api_port), 5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as sock,
    ):
        return str((sock.getpeercert() or {})["subjectAltName"][0][1])  # type: ignore[index]


def command(server: Server, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment() | environ,
        check=False,
    )


def test_certificates_come_and_go_and_nobody_is_dropped(secure: Server, tmp_path: Path) -> None:
    kept = secure._client  # its connection is from before
    assert shown(secure) == "old.test"
    issue(tmp_path, "new.test")
    until(lambda: shown(secure) == "new.test")
    good = (tmp_path / "tls.crt").read_bytes()
    (tmp_path / "tls.crt").write_bytes(good[:200])
    until(lambda: secure.logged("The old certificate is kept"))
    assert shown(secure) == "new.test"
    assert kept.get("/livez").status_code == 200
    told = secure.api("GET", "status")["tls"]
    assert told["certificate"] == "new.test"
    assert "tls.crt holds no certificate" in told["fault"]
    (tmp_path / "tls.crt").write_bytes(good)
    issue(tmp_path, "last.test")
    assert secure.process is not None
    secure.process.send_signal(signal.SIGHUP)
    until(lambda: shown(secure) == "last.test")
    assert secure.process.poll() is None
    assert not secure.logged("Traceback")


def test_commands_reach_it_by_directory_and_by_authority(secure: Server, tmp_path: Path) -> None:
    own = command(secure, "node", "list", "--data-dir", str(secure.data))
    assert own.returncode == 0, own.stderr
    url = f"https://127.0.0.1:{secure.api_port}"
    given = {"GEODNS_API": url, "GEODNS_TOKEN": secure.token}
    far = command(secure, "node", "list", **given, GEODNS_CA=str(tmp_path / "ca.pem"))
    assert far.returncode == 0, far.stderr
    distrusted = command(secure, "node", "list", **given)
    assert (distrusted.returncode, "cannot be trusted" in distrusted.stderr) == (4, True)


def test_a_bad_certificate_is_refused_at_the_first_start(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").write_text("nonsense")
    code, words = serve_once(tmp_path, api_tls_cert=tmp_path / "tls.crt")
    assert code == 2
    assert "tls.crt holds no certificate in PEM" in words


def test_a_bad_certificate_keeps_no_answers_away_at_a_later_start(
    secure: Server, tmp_path: Path
) -> None:
    zone = {"nameservers": [{"name": "ns1.a.test.", "addresses": ["127.0.0.1"]}]}
    secure.apply({"zones": {"a.test": zone}})
    assert secure.stop() == 0
    (tmp_path / "tls.crt").write_text("nonsense")
    os.chmod(tmp_path / "tls.key", 0o644)
    secure.start(ready=False)
    until(lambda: secure.logged("The API cannot be reached"))
    assert secure.logged("tls.key (api_tls_key) can be read by anybody here")
    assert secure.ask("a.test", "NS").answer
    issue(tmp_path, "late.test")
    until(lambda: not secure.faults())
