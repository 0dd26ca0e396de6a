"""Looks up the CRLs that are published at URLs: in an environment, or by download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pkigen.inspection.artifacts import read
from pkigen.requirements.subject import PublishedCrl


@dataclass
class CrlLookup:
    """Looks up URLs, each once.

    ``published`` maps known URLs to their responses; other URLs below ``base_url`` serve nothing.
    """

    published: Mapping[str, bytes] = field(default_factory=dict)
    base_url: str | None = None
    online: bool = False
    proxy: str | None = None
    _cache: dict[str, PublishedCrl | None] = field(default_factory=dict)

    def look(self, url: str) -> PublishedCrl | None:
        """Return what is at a URL; None if only a download could answer that."""
        if url not in self._cache:
            self._cache[url] = self._look(url)
        return self._cache[url]

    def _look(self, url: str) -> PublishedCrl | None:
        if url in self.published:
            return _parsed(self.published[url], url)
        if self.base_url is not None and url.startswith(f"{self.base_url}/"):
            return PublishedCrl(None, f"nothing is published at {url}")
        return self._fetched(url) if self.online else None

    def _fetched(self, url: str) -> PublishedCrl:
        from pkigen.inspection.path import FetchError, fetch

        try:
            return _parsed(fetch(url, proxy=self.proxy), url)
        except FetchError as error:
            return PublishedCrl(None, str(error))


def _parsed(data: bytes, url: str) -> PublishedCrl:
    """Return the CRL in a response."""
    first = read(data, url)[0]
    if first.crl is None or first.note:
        reason = first.problem or first.note or first.kind
        return PublishedCrl(None, f"the response of {url} is not a CRL: {reason}")
    return PublishedCrl(first.crl)
