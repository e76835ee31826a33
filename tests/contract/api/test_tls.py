"""TLS of the API: a new certificate is taken without dropping anybody, a bad one is not taken."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
import time
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from support.wire import Peer, web_server

from geodns.api.wire import tls
from geodns.api.wire.tls import Tls, read_certificate
from geodns.errors import ConfigError, Unavailable
from geodns.net import Client
from geodns.net.trust import trust_of

Wrap = Callable[[socket.socket], ssl.SSLSocket]
GET = b"GET /livez HTTP/1.1\r\nHost: api.test\r\n\r\n"
TRUST = trustme.CA()
CLIENTS = trustme.CA()


class Files:
    """A certificate and its key, replaced as tools do: renamed over."""

    def __init__(self, directory: Path) -> None:
        self.cert, self.key = directory / "tls.crt", directory / "tls.key"
        self.issue("old.test")

    def issue(self, name: str, ca: trustme.CA = TRUST) -> None:
        issued = ca.issue_cert(name, "127.0.0.1")
        self.put(self.key, issued.private_key_pem.bytes())
        self.put(self.cert, b"".join(blob.bytes() for blob in issued.cert_chain_pems))

    @staticmethod
    def put(path: Path, octets: bytes) -> None:
        fresh = path.with_suffix(".new")
        fresh.write_bytes(octets)
        fresh.replace(path)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def served(files: Files) -> Tls:
    served = Tls(files.cert, files.key, None)
    assert served.reload()
    return served


@pytest.fixture
def address(shared: Any, served: Tls) -> Iterator[tuple[str, int]]:
    with web_server(shared.new_app(), is_secure=True, context=served.context) as address:
        yield address


def trusting(name: str = "127.0.0.1", ca: trustme.CA = TRUST) -> Wrap:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return lambda sock: context.wrap_socket(sock, server_hostname=name)


def test_a_reply_over_tls_says_so(address: tuple[str, int]) -> None:
    with Peer(address, trusting()) as peer:
        reply = peer.ask(GET)
        assert reply.status == 200
        assert reply.headers["strict-transport-security"] == "max-age=31536000"
        assert isinstance(peer.sock, ssl.SSLSocket)
        assert peer.sock.version() == "TLSv1.3"
        refused = peer.ask(b"nonsense\r\n\r\n")
        assert (refused.status, "strict-transport-security" in refused.headers) == (400, True)
        assert peer.is_closed()


def test_a_connection_sets_little_aside(address: tuple[str, int]) -> None:
    with Peer(address, trusting()) as peer:
        assert peer.ask(GET).status == 200
        found = [each for each in gc.get_objects() if isinstance(each, SSLProtocol)]
        assert found
        assert max(len(each._ssl_buffer) for each in found) <= 16_384  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1])
def test_old_versions_are_refused(address: tuple[str, int], version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    TRUST.configure_trust(context)
    with pytest.raises(ssl.SSLError):
        Peer(address, lambda sock: context.wrap_socket(sock, server_hostname="127.0.0.1"))


def test_without_a_certificate_nobody_is_served_in_clear(shared: Any, tmp_path: Path) -> None:
    none = Tls(tmp_path / "none", None, None)
    assert not none.reload()
    app = shared.new_app()
    with web_server(app, is_secure=True, context=none.context) as address, Peer(address) as peer:
        peer.send(GET)
        assert peer.is_closed()


def test_a_new_certificate_is_shown_and_nobody_is_dropped(
    address: tuple[str, int], files: Files, served: Tls
) -> None:
    with Peer(address, trusting("old.test")) as early:
        assert early.ask(GET).status == 200
        files.issue("new.test")
        assert served.reload()
        with Peer(address, trusting("new.test")) as late:
            assert late.ask(GET).status == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            Peer(address, trusting("old.test"))
        assert early.ask(GET).status == 200


def key_of_another(files: Files) -> None:
    files.put(files.key, TRUST.issue_cert("x.test").private_key_pem.bytes())


BROKEN: dict[str, tuple[Callable[[Files], None], str]] = {
    "gone": (lambda files: files.cert.unlink(), "cannot be read"),
    "key gone": (lambda files: files.key.unlink(), "cannot be read"),
    "empty": (lambda files: files.put(files.cert, b""), "no certificate"),
    "cut short": (lambda files: files.put(files.cert, files.cert.read_bytes()[:300]), "no cert"),
    "garbage": (lambda files: files.put(files.cert, os.urandom(3000)), "no certificate"),
    "damaged": (
        lambda files: files.put(files.cert, files.cert.read_bytes().replace(b"MII", b"MIJ", 1)),
        "no key and certificate",
    ),
    "key garbage": (lambda files: files.put(files.key, os.urandom(3000)), "no key and cert"),
    "another's key": (key_of_another, "not the key of the certificate"),
    "too long": (lambda files: files.put(files.cert, b"x" * (tls.FILE_MAX_OCTETS + 1)), "more"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_certificate_leaves_the_old_one_and_is_told(
    address: tuple[str, int],
    files: Files,
    served: Tls,
    what: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    breaks, words = BROKEN[what]
    breaks(files)
    assert not served.reload()
    assert served.fault is not None
    assert words in served.fault.detail
    assert "The old certificate is kept" in caplog.text
    with Peer(address, trusting("old.test")) as peer:
        assert peer.ask(GET).status == 200
    files.issue("new.test")
    assert served.reload()
    assert served.fault is None
    with Peer(address, trusting("new.test")) as peer:
        assert peer.ask(GET).status == 200


def test_a_key_with_a_password_is_refused_without_asking_for_it(files: Files) -> None:
    from cryptography.hazmat.primitives import serialization as form

    key = form.load_pem_private_key(files.key.read_bytes(), None)
    locked = form.BestAvailableEncryption(b"hush")
    files.put(
        files.key,
        key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked),
    )
    with pytest.raises(ConfigError, match="without a password"):
        read_certificate(files.cert, files.key)


def test_key_and_certificate_may_be_in_one_file(files: Files, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(files.key.read_bytes() + files.cert.read_bytes())
    found = read_certificate(both)
    assert found.subject == "old.test"
    assert found.expires_s > time.time()
    assert "PRIVATE" not in found.pem


def test_changed_files_are_noticed_once_they_are_whole(
    files: Files, served: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "WATCH_S", 0.01)

    async def watch() -> None:
        waiting = asyncio.ensure_future(served.changes())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        files.issue("new.test")
        await asyncio.wait_for(waiting, 5)

    asyncio.run(watch())


# --- Certificates of clients ---


@pytest.fixture
def closed(shared: Any, files: Files, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Only clients with a certificate of CLIENTS may connect."""
    CLIENTS.cert_pem.write_to_path(str(tmp_path / "clients.pem"))
    served = Tls(files.cert, files.key, tmp_path / "clients.pem")
    assert served.reload()
    with web_server(shared.new_app(), is_secure=True, context=served.context) as address:
        yield address


def showing(ca: trustme.CA) -> Wrap:
    context = ssl.create_default_context()
    TRUST.configure_trust(context)
    ca.issue_cert("operator.test").configure_cert(context)
    return lambda sock: context.wrap_socket(sock, server_hostname="127.0.0.1")


def test_a_client_without_the_right_certificate_is_not_heard(closed: tuple[str, int]) -> None:
    for wrap in (trusting(), showing(TRUST)):
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            Peer(closed, wrap).ask(GET)


def test_a_client_with_a_certificate_needs_a_token_all_the_same(closed: tuple[str, int]) -> None:
    with Peer(closed, showing(CLIENTS)) as peer:
        assert peer.ask(GET).status == 200
        assert peer.ask(GET.replace(b"/livez", b"/api/v1/nodes")).status == 401


# --- Our own client ---


def url_of(address: tuple[str, int]) -> str:
    return f"https://{address[0]}:{address[1]}"


def test_our_client_trusts_whom_the_environment_names(
    address: tuple[str, int], shared: Any, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    TRUST.cert_pem.write_to_path(str(ca))
    environ = {"GEODNS_CA": str(ca)}
    with Client(url_of(address), shared.token, trust=trust_of(environ)) as client:
        assert client.request("GET", "/api/v1/nodes").status == 200
    for wrong in ({}, {"GEODNS_CA": str(tmp_path / "tls.key")}, {"GEODNS_CA": "/nowhere"}):
        with (
            Client(url_of(address), shared.token, trust=trust_of(wrong)) as client,
            pytest.raises((ConfigError, Unavailable)) as refused,
        ):
            client.request("GET", "/api/v1/nodes")
        assert "GEODNS_CA" in str(refused.value) or "cannot be trusted" in str(refused.value)


def test_our_client_trusts_the_very_certificate_whatever_its_name(
    address: tuple[str, int], shared: Any, files: Files, served: Tls
) -> None:
    assert served.current is not None
    pem = served.current.pem
    with Client(url_of(address), shared.token, trust=trust_of({}, pem)) as client:
        assert client.request("GET", "/livez").status == 200
    files.issue("old.test")
    assert served.reload()
    with (
        Client(url_of(address), shared.token, trust=trust_of({}, pem)) as client,
        pytest.raises(Unavailable, match="cannot be trusted"),
    ):
        client.request("GET", "/livez")


def test_our_client_shows_its_certificate(
    closed: tuple[str, int], shared: Any, tmp_path: Path
) -> None:
    issued = CLIENTS.issue_cert("operator.test")
    TRUST.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "own.crt"))
    issued.private_key_pem.write_to_path(str(tmp_path / "own.key"))
    environ = {
        "GEODNS_CA": str(tmp_path / "ca.pem"),
        "GEODNS_CERT": str(tmp_path / "own.crt"),
        "GEODNS_KEY": str(tmp_path / "own.key"),
    }
    with Client(url_of(closed), shared.token, trust=trust_of(environ)) as client:
        assert client.request("GET", "/livez").status == 200
    with (
        Client(
            url_of(closed), shared.token, trust=trust_of({"GEODNS_CA": environ["GEODNS_CA"]})
        ) as client,
        pytest.raises(Unavailable),
    ):
        client.request("GET", "/livez")
