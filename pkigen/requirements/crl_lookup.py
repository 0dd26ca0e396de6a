"""What is published at a URL: CRLs that were given, those of an environment, or the network's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pkigen.inspection.artifacts import Artifact, read
from pkigen.requirements.subject import LookUpCrl, PublishedCrl
from pkigen.x509 import CertificateList


@dataclass
class CrlLookup:
    """Looks at URLs, each once.

    ``given`` are CRLs from files: they stand for whatever is at the URLs of those whose issuer signed
    them. ``published`` are the octets at URLs that are known; nothing is at others below ``base_url``.
    """

    given: Sequence[CertificateList] = ()
    published: Mapping[str, bytes] = field(default_factory=dict)
    base_url: str | None = None
    online: bool = False
    proxy: str | None = None
    _seen: dict[str, PublishedCrl | None] = field(default_factory=dict)

    def look(self, url: str) -> PublishedCrl | None:
        """What is at a URL; None when that cannot be told without a network."""
        if url not in self._seen:
            self._seen[url] = self._look(url)
        return self._seen[url]

    def by_issuer(self, leaf: Artifact) -> LookUpCrl:
        """As ``look``; a CRL of the certificate's issuer that was given goes before the network."""
        assert leaf.certificate is not None
        issuer = leaf.certificate.issuer_der
        own = next((crl for crl in self.given if crl.issuer_der == issuer), None)
        return self.look if own is None else lambda url: PublishedCrl(own)

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
    """The CRL in what is served; DER, as RFC 5280, 4.2.1.13 wants it."""
    first = read(data, url)[0]
    if first.crl is None or first.note:
        return PublishedCrl(None, f"what {url} serves is no CRL: {first.problem or first.note or first.kind}")
    return PublishedCrl(first.crl)
