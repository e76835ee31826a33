"""TLS whose certificate can change while connections are open: new ones get the new one."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geodns.errors import ConfigError, Reason
from geodns.model.override import instant
from geodns.net.trust import pinned_context

WATCH_S = 1.0
"""How often the files are looked at. Source: no reference; a stat of three files is nothing, and
what has not changed between two looks is whole."""

FILE_MAX_OCTETS = 2**20
"""Source: no reference; a bundle of all public authorities has 200 kB."""

TLS12_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Source: RFC 9325 section 4.2; TLS 1.3 has its own."""

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

Stamps = tuple[tuple[int, int, int] | None, ...]
"""Inode, time of change and size of each file; None for one that is not there."""

log = logging.getLogger("geodns.api")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server shows. Units: Unix seconds."""

    context: ssl.SSLContext = field(repr=False)
    pem: str
    subject: str
    expires_s: float


class Tls:
    """The certificate of one server, and what is wrong with the files it came from.

    Shape: ``key`` None: it is in the certificate's file. With ``client_ca`` only clients may
           connect whose certificate is of one of its authorities.
    """

    def __init__(self, certificate: Path, key: Path | None, client_ca: Path | None) -> None:
        self.current: Certificate | None = None
        self.fault: Reason | None = None
        self._certificate, self._key, self._client_ca = certificate, key, client_ca
        self._loaded: Stamps | None = None

    def context(self) -> ssl.SSLContext | None:
        """For the next connection; None if there never was a good certificate."""
        return self.current.context if self.current else None

    def reload(self) -> bool:
        """Read the files; True if what they hold is shown from now on. What cannot be used leaves
        all as it was, but for the fault."""
        self._loaded = self._stamps()
        try:
            self.current = read_certificate(self._certificate, self._key, self._client_ca)
        except ConfigError as error:
            [self.fault] = error.reasons
            rest = "The old certificate is kept" if self.current else "The API cannot be reached"
            log.error("%s %s.", self.fault.detail, rest)
            return False
        self.fault = None
        log.info("the API shows the certificate of %s", self.current.subject)
        return True

    def state(self) -> dict[str, Any]:
        """What requests find in their state: whom it is shown for, until when, what is wrong."""
        shown = self.current
        view = {
            "certificate": shown.subject if shown else None,
            "expires": instant(int(shown.expires_s) * 1000) if shown else None,
            "fault": self.fault.detail if self.fault else None,
        }
        return {"tls": view}

    async def changes(self) -> None:
        """Wait until the files have changed and are no longer being written."""
        before = self._loaded
        while True:
            await asyncio.sleep(WATCH_S)
            seen, before = before, self._stamps()
            if before == seen and before != self._loaded:
                return

    def _stamps(self) -> Stamps:
        files = (self._certificate, self._key, self._client_ca)
        return tuple(_stamp(path) for path in files if path is not None)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_certificate(
    certificate: Path, key: Path | None = None, client_ca: Path | None = None
) -> Certificate:
    """A server's certificate, proven by a handshake with itself.

    Errors: ConfigError, one reason, which names the file.
    """
    chain = _read(certificate)
    if b"ENCRYPTED" in (_read(key) if key is not None else chain):
        raise _bad(key or certificate, "is encrypted; a server needs a key without a password")
    blocks = _BLOCK.findall(chain)
    if not blocks:
        raise _bad(certificate, "holds no certificate in PEM")
    context = _context()
    try:
        context.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise _bad(key or certificate, _why(error)) from None
    pem = blocks[0].decode("ascii", "replace")
    try:
        subject, expires_s = _shown_by(context, pem)
    except (ssl.SSLError, ValueError) as error:
        raise _bad(certificate, f"cannot be shown: {_words(error)}") from None
    if client_ca is not None:
        _require_clients(context, client_ca)
    return Certificate(context, pem + "\n", subject, expires_s)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers(TLS12_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _require_clients(context: ssl.SSLContext, client_ca: Path) -> None:
    _read(client_ca)
    try:
        context.load_verify_locations(client_ca)
    except (ssl.SSLError, OSError) as error:
        raise _bad(client_ca, f"holds no authorities in PEM: {_words(error)}") from None
    context.verify_mode = ssl.CERT_REQUIRED


def _shown_by(context: ssl.SSLContext, pem: str) -> tuple[str, float]:
    """Whom the certificate is for and when it ends, as a client of ours sees it."""
    asking = pinned_context(pem)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    done: set[ssl.SSLObject] = set()
    for _ in range(8):  # two flights each way are enough
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
    if client not in done:
        raise ValueError("the handshake does not end")
    shown: dict[str, Any] = dict(client.getpeercert() or {})
    names = [value for _, value in shown.get("subjectAltName", ())]
    parts = [part for relative in shown.get("subject", ()) for part in relative]
    names += [value for name, value in parts if name == "commonName"]
    expires_s = ssl.cert_time_to_seconds(shown["notAfter"])
    return (names or ["nobody"])[0], expires_s


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(FILE_MAX_OCTETS + 1)
    except OSError as error:
        raise _bad(path, f"cannot be read: {error.strerror}") from None
    if len(octets) > FILE_MAX_OCTETS:
        raise _bad(path, f"has more than {FILE_MAX_OCTETS} octets")
    return octets


def _why(error: Exception) -> str:
    words = _words(error)
    if "KEY_VALUES_MISMATCH" in words or "key values mismatch" in words:
        return "is not the key of the certificate"
    return f"holds no key and certificate that can be used: {words}"


def _words(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error).replace("_", " ").lower() if reason else str(error)


def _bad(path: Path, what: str) -> ConfigError:
    return ConfigError([Reason("", "bad_certificate", f"{path} {what}.", str(path))])
