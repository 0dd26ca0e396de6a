"""Downloads CRLs for the appliances; requests within one second share a download."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock, Thread

from pkigen.inspection.path.http_fetch import FetchError, fetch
from pkigen.lab.timing import CancelToken

FRESH_SECONDS = 1.0
_SECONDS = 5.0
_MOST_KEPT = 256


@dataclass
class _Download:
    begun: float
    answer: Future[bytes] = field(default_factory=Future)


class CrlDownloads:
    """Downloads URLs, through a proxy if there is one. Safe to call from several threads."""

    def __init__(
        self, proxy: str | None, cancel_token: CancelToken, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._proxy = proxy
        self._ending = cancel_token
        self._clock = clock
        self._lock = Lock()
        self._downloads = dict[str, _Download]()

    def forget(self) -> None:
        """Discard all cached downloads."""
        with self._lock:
            self._downloads.clear()

    def get(self, url: str) -> bytes:
        """Return the bytes at a URL. Raise FetchError if the download fails."""
        with self._lock:
            download = self._downloads.get(url)
            mine = download is None or self._clock() - download.begun > FRESH_SECONDS
            if mine:
                if len(self._downloads) >= _MOST_KEPT:
                    self._downloads.clear()
                download = self._downloads[url] = _Download(self._clock())
        assert download is not None
        if mine:
            arguments = url, download.answer
            Thread(target=self._fetch, args=arguments, name="pkigen-download", daemon=True).start()
        try:
            return self._ending.wait_for(download.answer, 2 * _SECONDS)
        except TimeoutError:
            raise FetchError(f"{url}: the request timed out") from None

    def _fetch(self, url: str, answer: Future[bytes]) -> None:
        try:
            answer.set_result(fetch(url, proxy=self._proxy, timeout=_SECONDS))
        except BaseException as error:  # noqa: BLE001  raised again where it is awaited
            answer.set_exception(error)
