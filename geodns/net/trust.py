"""Whom a client of the API trusts, and what it shows of itself: contexts of TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping

from geodns.errors import ConfigError, Reason

CA, CERT, KEY = "GEODNS_CA", "GEODNS_CERT", "GEODNS_KEY"
"""Variables: authorities to trust instead of the public ones; a client's certificate, and its key
if that is in a file of its own. All PEM."""

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which the ssl module does not name."""


def trust_of(environ: Mapping[str, str], pem: str = "") -> Callable[[], ssl.SSLContext]:
    """Makes the context once there is TLS to be had: that takes longer than a request.

    Shape:  ``pem`` is the one certificate to trust unless the environment names authorities.
    Errors: the maker's: ConfigError, which names the variable.
    """

    def make() -> ssl.SSLContext:
        context = _trusting(environ.get(CA, ""), pem)
        certificate, key = environ.get(CERT), environ.get(KEY)
        if certificate:
            try:
                context.load_cert_chain(certificate, key or None, password=lambda: b"")
            except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
                raise _unusable(CERT, certificate, error) from None
        return context

    return make


def pinned_context(pem: str) -> ssl.SSLContext:
    """A context that trusts this one certificate, whatever name or age it has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags |= NO_CHECK_TIME
    context.load_verify_locations(cadata=pem)
    return context


def _trusting(ca: str, pem: str) -> ssl.SSLContext:
    if ca:
        try:
            return ssl.create_default_context(cafile=ca)
        except (OSError, ValueError) as error:
            raise _unusable(CA, ca, error) from None
    if pem:
        return pinned_context(pem)
    import certifi  # comes with httpx

    return ssl.create_default_context(cafile=certifi.where())


def _unusable(variable: str, path: str, error: Exception) -> ConfigError:
    why = getattr(error, "strerror", None) or str(error)
    detail = f"{path} ({variable}) cannot be used: {why}."
    return ConfigError([Reason("", "bad_certificate", detail, path)])
