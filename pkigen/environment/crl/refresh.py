"""Publishes CRLs and OCSP responses again without the profile: after a revocation, or when they expire."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from secrets import token_bytes

from pkigen.environment.crl.publish import CrlPublisher
from pkigen.environment.crl.schedule import needs_new_base, publication_reasons
from pkigen.environment.ocsp import presigned
from pkigen.environment.ocsp.builder import SERIAL_BYTES, OcspResponseBuilder
from pkigen.environment.published.publishers import CrlIssuer, PresignedSubject, load_crl_issuers
from pkigen.environment.published.stored_keys import SigningAuthority, open_authority
from pkigen.keys import kind_of
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import FreshKeys
from pkigen.model import Role
from pkigen.store import Store
from pkigen.x509 import Certificate


@dataclass(frozen=True, slots=True)
class PublishedCrl:
    """A CRL that was published: authority, number, URL, expiry and the reasons."""

    authority: str
    number: int
    url: str
    next_update: datetime
    reasons: tuple[str, ...]


@dataclass
class CrlRefresher:
    """Publishes CRLs of one open environment; ``clock`` is their this_update."""

    store: Store
    clock: datetime
    passphrases: Sequence[bytes] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        self.issuers = load_crl_issuers(self.store)
        self._authorities = dict[str, SigningAuthority]()

    def affected(self, issuers: Collection[str]) -> list[CrlIssuer]:
        """Return the authorities whose CRLs list certificates of some issuers (ids)."""
        ids = dict.fromkeys(issuers)
        known = [self.issuers[issuer] for issuer in issuers if issuer in self.issuers]
        ids |= dict.fromkeys(issuer.crl.indirect_crl_issuer for issuer in known)
        return [self.issuers[one] for one in ids if one in self.issuers]

    def open(self, issuers: Collection[CrlIssuer]) -> None:
        """Load the keys of authorities in advance; InputError if one cannot be loaded."""
        for issuer in issuers:
            self._authority(issuer.id)

    def publish_response(self, subject: PresignedSubject) -> None:
        """Sign the OCSP response about a case again; InputError if its issuer's key cannot be loaded."""
        authority = self._authority(subject.issuer)
        keys = FreshKeys()
        builder = OcspResponseBuilder(
            authority.signer,
            Certificate(authority.certificate),
            lambda name, kind: keys.generate(parse_kind(kind), name),
            self._authority,
            token_bytes(SERIAL_BYTES),
            self.clock,
        )
        index = self.store.index
        serial = index.entry(subject.id).serials[0][1]
        digest = presigned.content_digest(subject, index.entry(subject.issuer).fingerprint, serial)
        presigned.publish(self.store, subject, serial, digest, builder)

    def publish(self, issuer: CrlIssuer, *, reason: str = "") -> PublishedCrl | None:
        """Publish an authority's CRLs if they are due, or in any case for an additional ``reason``."""
        index, others = self.store.index, tuple(self.issuers.values())
        fingerprint = index.entry(issuer.id).fingerprint
        reasons, digest = publication_reasons(self.store, issuer, others, fingerprint, self.clock)
        if reason:
            reasons = (reason, *reasons)
        if not reasons:
            return None
        authority = self._authority(issuer.id)
        signer = authority.signer
        if rogue := issuer.crl.rogue_key:
            is_authority = rogue.startswith(f"{Role.AUTHORITY}/")
            key = FreshKeys().generate(kind_of(signer.key), rogue)
            signer = replace(signer, key=self._authority(rogue).signer.key if is_authority else key)
        publisher = CrlPublisher(self.store, self.clock, None, others)
        number = publisher.publish(
            issuer, authority.certificate, signer, digest, new_base=needs_new_base(reasons)
        )
        state = index.crl(issuer.id)
        assert state is not None
        next_update = datetime.fromtimestamp(state.next_update, UTC)
        return PublishedCrl(issuer.name, number, issuer.crl.url, next_update, reasons)

    def _authority(self, entity_id: str) -> SigningAuthority:
        if entity_id not in self._authorities:
            name = entity_id.partition("/")[2]
            self._authorities[entity_id] = open_authority(self.store.folder, name, self.passphrases)
        return self._authorities[entity_id]
