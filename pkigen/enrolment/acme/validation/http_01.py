"""The challenge http-01 (RFC 8555, 8.3)."""

from __future__ import annotations

import http.client
import ssl
import time
from urllib.parse import urljoin, urlsplit

from pkigen.enrolment.acme.problems import Problem
from pkigen.enrolment.acme.validation.addresses import TIMEOUT, connect, ip_of, permitted_ports, remaining
from pkigen.errors import visible
from pkigen.profile.enrolment import AcmeSettings

_MOST_REDIRECTS = 10
_LARGEST_BODY = 1024
_REDIRECTS = (301, 302, 303, 307, 308)


def validate(settings: AcmeSettings, identifier: str, token: str, key_authorization: str) -> None:
    """Raise Problem if the host does not serve the key authorization."""
    deadline = time.monotonic() + TIMEOUT
    host = f"[{identifier}]" if ":" in identifier else identifier
    port = "" if settings.http_port == 80 else f":{settings.http_port}"
    url = f"http://{host}{port}/.well-known/acme-challenge/{token}"
    for _ in range(_MOST_REDIRECTS + 1):
        status, location, body = _get(settings, url, deadline)
        if status in _REDIRECTS and location:
            url = _redirected(settings, url, location)
            continue
        if status != 200:
            raise Problem("unauthorized", f"{visible(url)} returned the status {status}")
        if body.decode("utf-8", "replace").rstrip() != key_authorization:
            text = visible(body[:100].decode("utf-8", "replace"))
            expected = f"expected '{key_authorization}', received '{text}'"
            raise Problem("unauthorized", f"{visible(url)} has the wrong contents: {expected}")
        return
    raise Problem("connection", f"more than {_MOST_REDIRECTS} redirects")


def _get(settings: AcmeSettings, url: str, deadline: float) -> tuple[int, str, bytes]:
    parts = urlsplit(url)
    host, default = parts.hostname or "", 443 if parts.scheme == "https" else 80
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(host, parts.port or default)
    try:
        plain = connect(settings, host, parts.port or default, deadline)
        connection.sock = _tls(plain, host) if parts.scheme == "https" else plain
        connection.request("GET", path, headers={"User-Agent": "pkigen", "Connection": "close"})
        response = connection.getresponse()
        body = bytearray()
        while len(body) <= _LARGEST_BODY and (part := response.read1(_LARGEST_BODY)):
            body += part
            remaining(deadline)
        return response.status, response.headers.get("Location", ""), bytes(body[: _LARGEST_BODY + 1])
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Problem(
            "connection", f"{visible(url)}: {visible(str(error) or type(error).__name__)}"
        ) from None
    finally:
        connection.close()


def _tls(plain: object, host: str) -> ssl.SSLSocket:
    """Start TLS; the certificate is not verified (the device does not have one yet)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=host)  # type: ignore[arg-type]


def _redirected(settings: AcmeSettings, url: str, location: str) -> str:
    """Return the target of a redirect; Problem if it must not be followed."""
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Problem("connection", f"redirect to an invalid URL: {visible(location[:200])}") from None
    is_plain = target.isascii() and target.isprintable() and " " not in target
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise Problem("connection", f"redirect to {visible(target[:200])}: only http and https are followed")
    if parts.username is not None or port not in permitted_ports(settings):
        ports = ", ".join(map(str, sorted(permitted_ports(settings))))
        raise Problem(
            "connection", f"redirect to {visible(target[:200])}: only the ports {ports} are followed"
        )
    if ip_of(parts.hostname) is None and len(parts.hostname) > 253:
        raise Problem("connection", "redirect to a host name that is too long")
    return target
