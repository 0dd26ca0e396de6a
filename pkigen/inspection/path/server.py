"""Reads the certificates that a TLS server presents, with the limits of ``http_fetch``."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from OpenSSL import SSL, crypto

from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.inspection.artifacts import Artifact, read, read_path
from pkigen.inspection.path.http_fetch import TIMEOUT, FetchError, fetch, in_time

_HTTPS = 443
_URL = re.compile(r"(https?):/+(.+)", re.IGNORECASE | re.DOTALL)


def read_input(path: Path, passphrases: Sequence[bytes] = ()) -> tuple[Artifact, ...]:
    """Return everything in a file, in standard input (``-``), at an http URL, or from a TLS server.

    ``https://HOST:PORT`` is a TLS server. InputError if the input cannot be read.
    """
    # Path("https://host") is "https:/host".
    match = _URL.match(str(path))
    if match is None:
        return read_path(path, passphrases)
    url = f"{match[1].lower()}://{match[2]}"
    try:
        return read(fetch_url(url), url, passphrases)
    except FetchError as error:
        raise InputError(str(error)) from error


def fetch_url(url: str, *, proxy: str | None = None, timeout: float = TIMEOUT) -> bytes:
    """Return the contents of an http URL, or the certificates of the TLS server at ``https://HOST:PORT``.

    The certificates are PEM, in the order in which the server sends them. FetchError contains the reason why
    there are none.
    """
    if url.lower().startswith("http://"):
        return fetch(url, proxy=proxy, timeout=timeout)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _HTTPS
    except ValueError as error:
        raise FetchError(f"{url}: the URL is invalid") from error
    if not host:
        raise FetchError(f"{url}: the URL has no host")
    if parts.path not in ("", "/") or parts.query:
        raise FetchError(
            f"{url}: https reads only a server's certificates; use https://HOST:PORT, or an http URL"
        )
    return in_time(url, timeout, lambda: _presented(url, host, port, time.monotonic() + timeout))


def _is_address(host: str) -> bool:
    """Return whether a host is an IP address; server name indication (RFC 6066, 3) has no place for one."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _presented(url: str, host: str, port: int, deadline: float) -> bytes:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    try:
        with socket.create_connection((host, port), timeout=max(deadline - time.monotonic(), 0.01)) as stream:
            stream.settimeout(None)
            connection = SSL.Connection(context, stream)
            if not _is_address(host):
                connection.set_tlsext_host_name(host.encode("idna"))
            connection.set_connect_state()
            try:
                connection.do_handshake()
            except SSL.Error:
                # A TLS 1.2 server that requires a client certificate fails after it has sent its own.
                if not connection.get_peer_cert_chain():
                    raise
            certificates = connection.get_peer_cert_chain() or []
            return b"".join(
                pem.certificate(crypto.dump_certificate(crypto.FILETYPE_ASN1, one)) for one in certificates
            )
    except SSL.Error as error:
        raise FetchError(f"{url}: the TLS handshake failed: {_reason(error)}") from error
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "the host name is invalid"
        raise FetchError(f"{url}: {reason}") from error


def _reason(error: SSL.Error) -> str:
    """Return the reason of OpenSSL or of the system; a connection that the server closed has none."""
    first = error.args[0] if error.args else None
    if isinstance(first, int) and first > 0:
        return os.strerror(first)
    reason: str = first[0][2] if isinstance(first, list) and first else "the server closed the connection"
    return reason
