"""The input of a check: a certificate with its key, chain, files and CRLs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from pkigen.inspection.artifacts import Artifact, KeyFile, Source
from pkigen.keys.verify import may_be_self_signed
from pkigen.requirements.outcome import Outcome
from pkigen.x509 import Certificate, CertificateList, CertificationRequest, Malformed, PublicKey
from pkigen.x509.extensions import uris


@dataclass(frozen=True, slots=True)
class PublishedCrl:
    """The CRL that is published at a URL, or the reason why there is none."""

    crl: CertificateList | None
    problem: str = ""


LookUpCrl = Callable[[str], PublishedCrl | None]
"""Returns what is published at a URL; None if only a download could answer that."""


class PeerGroup:
    """The certificates of an environment that have a role, grouped by the values that are compared."""

    def __init__(self, certificates: Iterable[Certificate] = ()) -> None:
        self.certificates = list(certificates)
        self._groups = dict[str, dict[Hashable, list[Certificate]]]()

    def by_value(
        self, name: str, value: Callable[[Certificate], Hashable]
    ) -> Mapping[Hashable, list[Certificate]]:
        """Return the certificates by a value, which is read once from each; ``name`` identifies it."""
        if name not in self._groups:
            groups = self._groups[name] = {}
            for one in self.certificates:
                groups.setdefault(value(one), []).append(one)
        return self._groups[name]


Peers = Mapping[str, Mapping[str, PeerGroup]]
"""Certificates by the name of a set and a role of it."""


OutcomesOfCas = dict[tuple[str, str, bytes], Outcome]
"""Outcomes for CA certificates by the name of a set, the id of a requirement, and the certificate (DER)."""


@dataclass(frozen=True)
class CheckInput:
    """A certificate with its files, key, chain and CRLs.

    ``key`` and ``chain`` are None if no such file was given, ``certificate`` if the file does not contain
    one. ``issued`` is false for a certificate that is only planned: it has no signature, key or files yet.
    ``anchors`` are the trust anchors (default: the roots of the chain file).
    ``passphrase_known`` is false if a passphrase exists but was not given.
    ``requested`` is true if the certificate represents a certification request, of which only the subject,
    the key and the extensions are checked; ``request`` is that request.
    ``crls`` are CRLs from files, which take precedence over what is published at URLs; ``crl_issuers`` are
    further certificates of CRL issuers. ``unread`` are the files that could not be used.
    ``given`` are the contents of all files that were given together, such as those of a trust store.
    ``read_combined`` returns the contents of the files that contain the certificate and can contain other
    objects: PEM files and key stores, one tuple of artifacts for each file.
    ``sharing`` maps common names (lowercase) to the number of other certificates of the environment that have
    them; ``sharing_keys`` does the same for the SHA-256 digests (hexadecimal) of their SubjectPublicKeyInfos,
    and is None if there is no environment. ``peers`` are the certificates of an environment by set and role,
    None without an environment, of which ``not_compared`` (in DER) are left out; ``set_name`` is the set that
    is checked. ``outcomes_of_cas`` is a cache that the inputs of one environment with the same chain file
    share.
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
    given: tuple[Artifact, ...] = ()
    read_combined: Callable[[], tuple[tuple[Artifact, ...], ...]] = field(default=tuple)
    signed_by: datetime | None = None
    sharing: Mapping[str, int] = field(default_factory=dict)
    sharing_keys: Mapping[str, int] | None = None
    peers: Peers | None = None
    not_compared: frozenset[bytes] = frozenset()
    set_name: str = ""
    issued: bool = True
    passphrase_known: bool = True
    authority: bool = False
    requested: bool = False
    request: CertificationRequest | None = None
    outcomes_of_cas: OutcomesOfCas | None = field(default=None, repr=False)

    @cached_property
    def combined_files(self) -> tuple[tuple[Artifact, ...], ...]:
        """The contents of the files that contain the certificate, one tuple for each file."""
        return self.read_combined()

    @cached_property
    def authorities(self) -> tuple[Certificate, ...]:
        """The readable certificates of the chain file, in its order."""
        if self.chain is None:
            return self.planned_chain
        return tuple(item.certificate for item in self.chain if item.certificate is not None)

    @cached_property
    def path(self) -> tuple[Certificate, ...]:
        """The CA certificates above the certificate, found by their names; each at most once."""
        if self.certificate is None:
            return ()
        known = (*self.authorities, *self.anchors)
        path, current = list[Certificate](), self.certificate
        while not may_be_self_signed(current):
            named = (c for c in known if c.normalized_subject == current.normalized_issuer)
            issuer = next((c for c in named if c not in path), None)
            if issuer is None:
                break
            path.append(issuer)
            current = issuer
        return tuple(path)

    @property
    def public_key(self) -> PublicKey | None:
        """The public key of the certificate; without a certificate, that of the key file."""
        if self.certificate is not None:
            return self.certificate.public_key
        return self.key.public if self.key is not None else None

    @cached_property
    def crl_urls(self) -> tuple[str, ...]:
        """The URLs of the certificate's CRL distribution points; empty if they cannot be decoded."""
        if self.certificate is None:
            return ()
        try:
            return tuple(uris(self.certificate.extensions.crl_distribution_points))
        except Malformed:
            return ()

    def crls_for(self, certificate: Certificate) -> tuple[PublishedCrl, ...]:
        """Return the CRLs that may list a certificate: those from files, or else those at its http URLs."""
        from pkigen.inspection.path import may_list
        from pkigen.inspection.path.downloader import MAX_URLS_PER_CERTIFICATE

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
        """Whether the certificate contains an http URL of a CRL."""
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
        alone = replace(
            self,
            key=None,
            key_source=None,
            certificate_source=None,
            read_combined=tuple,
            sharing_keys=None,
            authority=True,
        )
        return tuple((one, replace(alone, certificate=one)) for one in self.path)


def _is_http(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() == "http"
    except ValueError:
        return False
