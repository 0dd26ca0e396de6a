"""Downloads the CRLs and CA certificates that certificates name, within one budget for a whole run."""

from __future__ import annotations

import time
from collections.abc import Callable

from pkigen.inspection.path.http_fetch import MAX_BYTES, TIMEOUT, FetchError, fetch

MAX_URLS_PER_CERTIFICATE = 8
"""URLs that are tried for one certificate, so that its author cannot set how long this takes."""
_MAX_URLS = 100
_MAX_SECONDS = 60.0
_MAX_TOTAL_BYTES = 64 * 1024 * 1024

Get = Callable[[str], bytes]


class Downloader:
    """Downloads URLs until the budget of the run is spent: its URLs, its seconds, or its bytes.

    ``proxy`` is the URL of an HTTP proxy. ``get`` replaces the download; it raises FetchError if there is
    nothing at a URL.
    """

    def __init__(
        self,
        proxy: str | None = None,
        *,
        get: Get | None = None,
        max_urls: int = _MAX_URLS,
        seconds: float = _MAX_SECONDS,
        max_bytes: int = _MAX_TOTAL_BYTES,
    ) -> None:
        self._proxy, self._get = proxy, get
        self._max_urls, self._max_seconds, self._max_bytes = max_urls, seconds, max_bytes
        self._urls, self._seconds, self._bytes = 0, 0.0, 0

    def get(self, url: str) -> bytes:
        """Return what a URL serves; FetchError if it serves nothing, or if the budget is spent."""
        for spent, limit, name in (
            (self._urls, self._max_urls, "URLs"),
            (self._seconds, self._max_seconds, "seconds"),
            (self._bytes, self._max_bytes, "bytes"),
        ):
            if spent >= limit:
                raise FetchError(
                    f"{url}: not downloaded, because this run may use {limit:,.0f} {name} at most"
                )
        self._urls += 1
        start = time.monotonic()
        try:
            data = self._download(url)
        finally:
            self._seconds += time.monotonic() - start
        self._bytes += len(data)
        return data

    def _download(self, url: str) -> bytes:
        if self._get is not None:
            return self._get(url)
        timeout = min(TIMEOUT, self._max_seconds - self._seconds)
        return fetch(
            url, proxy=self._proxy, timeout=timeout, most=min(MAX_BYTES, self._max_bytes - self._bytes)
        )
