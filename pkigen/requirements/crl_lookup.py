"""Looks up the CRLs that are published at URLs: in an environment, or by download."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pkigen.inspection.artifacts import read
from pkigen.requirements.subject import PublishedCrl


@dataclass
class CrlLookup:
    """Looks up URLs, each once.

    ``published`` maps known URLs to their responses; other URLs below ``base_url`` serve nothing. ``get``
    downloads all others, and raises FetchError if there is nothing (default: no download).
    """

    published: Mapping[str, bytes] = field(default_factory=dict)
    base_url: str | None = None
    get: Callable[[str], bytes] | None = None
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
        return None if self.get is None else _downloaded(self.get, url)


def _downloaded(get: Callable[[str], bytes], url: str) -> PublishedCrl:
    from pkigen.inspection.path.http_fetch import FetchError

    try:
        return _parsed(get(url), url)
    except FetchError as error:
        return PublishedCrl(None, str(error))


def _parsed(data: bytes, url: str) -> PublishedCrl:
    """Return the CRL in a response."""
    first = read(data, url)[0]
    if first.crl is None or first.note:
        reason = first.problem or first.note or first.kind
        return PublishedCrl(None, f"the response of {url} is not a CRL: {reason}")
    return PublishedCrl(first.crl)
