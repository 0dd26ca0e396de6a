"""What a demand looks at: a certificate with all that was presented beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from pkigen.inspection.artifacts import Artifact, KeyFile, Source
from pkigen.x509 import Certificate, CertificateList, Malformed, PublicKey
from pkigen.x509.extensions import uris


@dataclass(frozen=True, slots=True)
class PublishedCrl:
    """What stands at a URL: the CRL, or why there is none."""

    crl: CertificateList | None
    problem: str = ""


LookUpCrl = Callable[[str], PublishedCrl | None]
"""What is published at a URL; None when it cannot be told without asking a network."""


@dataclass(frozen=True)
class CheckInput:
    """A certificate, the files that it, its key and its chain came in, and what is around them.

    ``key`` and ``chain`` are None when no such file was given, ``certificate`` when the file that
    should hold one does not. ``issued`` is false for a certificate that is only planned: it has no
    signature yet, no key and no files. ``anchors`` are trusted in place of the roots of the chain file.
    ``passphrase_known`` is false when a passphrase exists that the checker was not given.
    ``validation`` says whether the appliance validates certificates (CRL, dates, chain).
    ``requested`` says that the certificate stands for a request: subject, key and extensions count.
    ``crls`` are CRLs from files, which take precedence over what is published at URLs; ``crl_issuers`` are
    further certificates of CRL issuers. ``unread`` are the files that could not be used.
    ``sharing`` counts the other certificates of an environment by what they have as common name.
    """

    now: datetime
    certificate: Certificate | None = None
    certificate_source: Source | None = None
    key: KeyFile | None = None
    key_source: Source | None = None
    chain: tuple[Artifact, ...] | None = None
    planned_chain: tuple[Certificate, ...] = ()
    anchors: tuple[Certificate, ...] = ()
    look: LookUpCrl = field(default=lambda url: None)
    crls: tuple[CertificateList, ...] = ()
    crl_issuers: tuple[Certificate, ...] = ()
    unread: tuple[str, ...] = ()
    sharing: Mapping[str, int] = field(default_factory=dict)
    issued: bool = True
    validation: bool = True
    passphrase_known: bool = True
    authority: bool = False
    requested: bool = False

    @cached_property
    def authorities(self) -> tuple[Certificate, ...]:
        """The readable certificates of the chain file, in its order."""
        if self.chain is None:
            return self.planned_chain
        return tuple(found.certificate for found in self.chain if found.certificate is not None)

    @cached_property
    def path(self) -> tuple[Certificate, ...]:
        """The authorities above the certificate, as far as names lead; each at most once."""
        if self.certificate is None:
            return ()
        known = (*self.authorities, *self.anchors)
        path, current = list[Certificate](), self.certificate
        while not current.is_self_issued:
            named = (c for c in known if c.normalized_subject == current.normalized_issuer)
            issuer = next((c for c in named if c not in path), None)
            if issuer is None:
                break
            path.append(issuer)
            current = issuer
        return tuple(path)

    @property
    def public_key(self) -> PublicKey | None:
        """The key that the certificate states; that of the key file when there is no certificate."""
        if self.certificate is not None:
            return self.certificate.public_key
        return self.key.public if self.key is not None else None

    @cached_property
    def crl_urls(self) -> tuple[str, ...]:
        """The URLs of the certificate's CRL distribution points; those that cannot be read are none."""
        if self.certificate is None:
            return ()
        try:
            return tuple(uris(self.certificate.extensions.crl_distribution_points))
        except Malformed:
            return ()

    def crls_for(self, certificate: Certificate) -> tuple[PublishedCrl, ...]:
        """Return the CRLs that may list a certificate: those from files, or else those at its http URLs."""
        from pkigen.inspection.path import MAX_URLS_PER_CERTIFICATE, may_list

        try:
            given = tuple(PublishedCrl(crl) for crl in self.crls if may_list(crl, certificate))
            urls = tuple(filter(_is_http, uris(certificate.extensions.crl_distribution_points)))
        except Malformed:
            return ()
        if given:
            return given
        published = [crl for crl in map(self.look, urls[:MAX_URLS_PER_CERTIFICATE]) if crl is not None]
        if published and (untried := len(urls) - MAX_URLS_PER_CERTIFICATE) > 0:
            published.append(PublishedCrl(None, f"{untried} more URLs were not tried"))
        return tuple(published)

    @property
    def has_http_crl_url(self) -> bool:
        """Whether the certificate states an http URL of a CRL."""
        return any(map(_is_http, self.crl_urls))

    @property
    def published_crls(self) -> tuple[CertificateList, ...]:
        """The CRLs for the certificate; without a certificate, the CRLs from files."""
        if self.certificate is None:
            return self.crls
        return tuple(one.crl for one in self.crls_for(self.certificate) if one.crl is not None)

    def missing(self, what: str) -> str:
        """Return why there is no file of a kind: it was not given, or it cannot be read."""
        if not self.unread:
            return f"no {what} was given"
        return f"there is no {what} that can be read: see {', '.join(self.unread)}"

    @cached_property
    def inputs_of_path(self) -> tuple[tuple[Certificate, CheckInput], ...]:
        """The CA certificates of the path, each with the input for a check of this certificate alone."""
        alone = replace(self, key=None, key_source=None, certificate_source=None, authority=True)
        return tuple((one, replace(alone, certificate=one)) for one in self.path)


def _is_http(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() == "http"
    except ValueError:
        return False
