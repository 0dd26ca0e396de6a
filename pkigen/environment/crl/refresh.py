"""CRLs published anew without the profile: after a revocation, by hand, and while a server runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from secrets import token_bytes

from pkigen.environment import crl
from pkigen.environment.build.reissue_reasons import certificate_fingerprint
from pkigen.environment.ocsp import presigned
from pkigen.environment.ocsp.builder import OcspResponseBuilder
from pkigen.environment.published.publishers import CrlIssuer, PresignedSubject, load_crl_issuers
from pkigen.environment.published.stored_keys import SigningAuthority, open_authority
from pkigen.keys import kind_of
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import FreshKeys
from pkigen.store import Store
from pkigen.x509 import Certificate

_SERIAL_OCTETS = 16


@dataclass(frozen=True, slots=True)
class PublishedCrl:
    """A CRL that was published: whose, its number, where, and why."""

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
        self._open = dict[str, SigningAuthority]()

    def affected(self, issuers: Collection[str]) -> list[CrlIssuer]:
        """The authorities whose CRLs say something of what some have issued: they, and who lists for them."""
        ids = dict.fromkeys(issuers)
        ids |= dict.fromkeys(self.issuers[one].crl.listed_by for one in issuers if one in self.issuers)
        return [self.issuers[one] for one in ids if one in self.issuers]

    def open(self, issuers: Collection[CrlIssuer]) -> None:
        """Read the keys that will be needed; InputError when one cannot be had."""
        for issuer in issuers:
            if issuer.id not in self._open:
                self._open[issuer.id] = open_authority(self.store.folder, issuer.name, self.passphrases)

    def answer(self, answered: PresignedSubject) -> None:
        """Sign the OCSP answer about a case anew; InputError when its issuer's key cannot be had."""
        issuer = answered.issuer
        if issuer not in self._open:
            name = issuer.partition("/")[2]
            self._open[issuer] = open_authority(self.store.folder, name, self.passphrases)
        held, keys = self._open[issuer], FreshKeys()
        maker = OcspResponseBuilder(
            held.signer,
            Certificate(held.certificate),
            lambda name, kind: keys.generate(parse_kind(kind), name),
            token_bytes(_SERIAL_OCTETS),
            self.clock,
        )
        entries = self.store.index.get([answered.id, issuer])
        serial = entries[answered.id].serials[0][1]
        digest = presigned.content_digest(answered, certificate_fingerprint(entries[issuer]), serial)
        presigned.publish(self.store, answered, serial, digest, maker)

    def publish(self, issuer: CrlIssuer, *, why: str = "") -> PublishedCrl | None:
        """Publish an authority's CRLs if they are due, or at any rate when there is another reason."""
        index, others = self.store.index, tuple(self.issuers.values())
        entry = index.get([issuer.id])[issuer.id]
        digest = crl.content_digest(
            issuer, certificate_fingerprint(entry), crl.listed_revocations(self.store, issuer, others)
        )
        state = index.crl(issuer.id)
        damaged = [found.path for found in self.store.damaged_files(state.files)] if state else []
        reasons = crl.publication_reasons(issuer, state, digest, damaged, self.clock)
        if why:
            reasons = (why, *reasons)
        if not reasons:
            return None
        self.open([issuer])
        held = self._open[issuer.id]
        signer = held.signer
        if issuer.crl.stranger:
            signer = replace(signer, key=FreshKeys().generate(kind_of(signer.key), issuer.crl.stranger))
        publisher = crl.CrlPublisher(self.store, self.clock, None, others)
        number = publisher.publish(issuer, held.certificate, signer, digest, anew=crl.needs_new_base(reasons))
        state = index.crl(issuer.id)
        assert state is not None
        next_update = datetime.fromtimestamp(state.next_update, UTC)
        return PublishedCrl(issuer.name, number, issuer.crl.url, next_update, reasons)
