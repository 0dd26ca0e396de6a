"""Downloads CRLs as appliances do: only over http, with limits on time, size and redirects."""

from __future__ import annotations

import re
import ssl
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import httpx

TIMEOUT = 10.0
"""Seconds for one URL: its name, redirects, headers and body together."""
MAX_BYTES = 16 * 1024 * 1024
MAX_REDIRECTS = 5
_LONGEST_URL = 2000
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {"Accept": "application/pkix-crl, */*", "Accept-Encoding": "identity"}
_LATE = "it does not answer in time"
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")


class FetchError(Exception):
    """A download failed; the message is the reason."""


def fetch(
    url: str,
    *,
    proxy: str | None = None,
    timeout: float = TIMEOUT,
    most: int = MAX_BYTES,
    redirects: int = MAX_REDIRECTS,
) -> bytes:
    """Return what an http URL serves; FetchError states why it serves nothing.

    ``timeout`` is in seconds, ``most`` in bytes. Environment variables for proxies are ignored, because an
    appliance has its own setting.
    """
    if proxy is not None and (words := invalid_proxy(proxy)):
        raise FetchError(words)
    import httpx  # noqa: F401  most commands download nothing; the import does not count as time of the server

    deadline = time.monotonic() + timeout
    return in_time(url, timeout, lambda: _fetch(url, proxy, deadline, most, redirects))


def in_time(url: str, timeout: float, download: Callable[[], bytes]) -> bytes:
    """Return the result of a download; FetchError after ``timeout`` seconds.

    No other limit ends a slow name resolution, or a server that sends its headers byte by byte.
    """
    result = Future[bytes]()

    def work() -> None:
        try:
            result.set_result(download())
        except BaseException as error:  # noqa: BLE001  raised again where it is awaited
            result.set_exception(error)

    Thread(target=work, name="fetch", daemon=True).start()
    try:
        return result.result(timeout)
    except TimeoutError:
        raise FetchError(f"{url}: {_LATE}") from None


def invalid_proxy(proxy: str) -> str:
    """Return why the URL of a proxy cannot be used; "" if it can."""
    try:
        parts = urlsplit(proxy)
        if parts.scheme.lower() == "http" and parts.hostname and parts.port != 0:
            return ""
    except ValueError:
        pass
    return f"the proxy '{proxy}' is not an http URL such as http://127.0.0.1:3128"


def _fetch(url: str, proxy: str | None, deadline: float, most: int, redirects: int) -> bytes:
    import httpx

    # Without a context of its own a client spends its time on reading CA certificates.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        with httpx.Client(proxy=proxy, trust_env=False, verify=context) as client:
            for _ in range(redirects + 1):
                _check_scheme(url)
                body, url = _get(client, url, deadline, most)
                if body is not None:
                    return body
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError, zlib.error) as error:
        raise FetchError(f"{url}: {_words(error)}") from error
    raise FetchError(f"{url}: more than {redirects} redirects")


def _check_scheme(url: str) -> None:
    if len(url) > _LONGEST_URL:
        raise FetchError(f"{url[:60]}...: the URL is too long ({len(url):,} characters)")
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme == "https":
        raise FetchError(f"{url}: https is not supported for CRLs (RFC 5280, 8); use http")
    if scheme != "http":
        raise FetchError(f"{url}: only http is supported, not {scheme or 'a relative URL'}")
    # Asked for, it is compared with the range of ports; else 65537 would be port 1.
    _ = parts.port


def _get(client: httpx.Client, url: str, deadline: float, most: int) -> tuple[bytes | None, str]:
    """Return the body, or None and the target of a redirect."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise FetchError(f"{url}: {_LATE}")
    request = client.stream("GET", url, headers=_HEADERS, follow_redirects=False, timeout=left)
    with request as response:
        if response.status_code in _REDIRECTS and "location" in response.headers:
            return None, urljoin(url, response.headers["location"])
        if response.status_code != HTTPStatus.OK:
            raise FetchError(f"{url}: HTTP {response.status_code}")
        body, unpack = bytearray(), _unpacking(response, url)
        for part in response.iter_raw():
            body += unpack(part, most + 1 - len(body))
            if len(body) > most:
                raise FetchError(f"{url}: more than {most:,} bytes")
            if time.monotonic() > deadline:
                raise FetchError(f"{url}: {_LATE}")
        return bytes(body), url


def _unpacking(response: httpx.Response, url: str) -> Callable[[bytes, int], bytes]:
    """Return a function that decompresses a part of the body up to a number of bytes.

    Some servers compress every response. The client's own decoders have no limit: a few hundred bytes can
    expand to as many megabytes.
    """
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed in ("", "identity"):
        return lambda part, _most: part
    if packed not in ("gzip", "x-gzip"):
        raise FetchError(f"{url}: unsupported Content-Encoding '{packed[:40]}'")
    return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress


def _words(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return _LATE
    if isinstance(error, UnicodeError):
        return "the host name is invalid"
    return _ERRNO.sub("", str(error).partition("\n")[0]) or type(error).__name__
