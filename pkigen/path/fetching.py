"""CRLs over HTTP, as appliances fetch them: http only, everything bounded."""

from __future__ import annotations

import time
from urllib.parse import urljoin, urlsplit

import httpx

TIMEOUT = 10.0
"""Seconds for one URL, redirects and body together."""
MOST_BYTES = 16 * 1024 * 1024
MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


class Unreachable(Exception):
    """A URL that gives nothing; the message says why."""


def fetch(
    url: str,
    *,
    proxy: str | None = None,
    timeout: float = TIMEOUT,
    most: int = MOST_BYTES,
    redirects: int = MOST_REDIRECTS,
) -> bytes:
    """What an http URL serves; Unreachable says why it serves nothing.

    Proxies of environment variables are not used: an appliance has a setting of its own.
    """
    deadline = time.monotonic() + timeout
    try:
        with httpx.Client(proxy=proxy, trust_env=False, timeout=timeout, follow_redirects=False) as client:
            for _ in range(redirects + 1):
                _check_scheme(url)
                body, url = _get(client, url, deadline, most)
                if body is not None:
                    return body
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        raise Unreachable(f"{url}: {_words(error)}") from error
    raise Unreachable(f"{url}: more than {redirects} redirects")


def _check_scheme(url: str) -> None:
    scheme = urlsplit(url).scheme.lower()
    if scheme != "http":
        raise Unreachable(f"{url}: only http is fetched, not {scheme or 'a relative URL'}")


def _get(client: httpx.Client, url: str, deadline: float, most: int) -> tuple[bytes | None, str]:
    """The body, or None and where a redirect leads."""
    with client.stream("GET", url, headers={"Accept": "application/pkix-crl, */*"}) as response:
        if response.status_code in _REDIRECTS and "location" in response.headers:
            return None, urljoin(url, response.headers["location"])
        if response.status_code != httpx.codes.OK:
            raise Unreachable(f"{url}: HTTP {response.status_code}")
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > most:
                raise Unreachable(f"{url}: more than {most} bytes")
            if time.monotonic() > deadline:
                raise Unreachable(f"{url}: it takes too long")
        return bytes(body), url


def _words(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it does not answer in time"
    return str(error).partition("\n")[0] or type(error).__name__
