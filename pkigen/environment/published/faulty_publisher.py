"""What a sound authority publishes, spoiled as a fault wants it: in memory, and never on the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import new
from itertools import chain
from pathlib import Path
from secrets import token_bytes
from threading import Lock

from pkigen.asn1 import oids
from pkigen.environment.crl.entries import crl_entries, indirect_entries
from pkigen.environment.ocsp.builder import OcspQuery, OcspResponseBuilder, key_bits
from pkigen.environment.published.publishers import CrlIssuer, load_crl_issuers
from pkigen.environment.published.stored_keys import SigningAuthority, open_authority
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.keys import PrivateKey, kind_of
from pkigen.keys.kinds import parse_kind
from pkigen.keys.signing import DIGEST_OIDS
from pkigen.keys.sources import FreshKeys
from pkigen.model import CrlForm, CrlPart, CrlPlan, Extension, OcspPlan, Role, Surgery
from pkigen.revocation import CertificateListPlan, RevokedCertificate, certificate_list
from pkigen.revocation.crl import freshest_crl, issuing_distribution_point
from pkigen.revocation.ocsp_request import Request, parse
from pkigen.revocation.ocsp_response import stated
from pkigen.store import Store
from pkigen.x509 import Certificate

_SERIAL_OCTETS = 16
_FRESH_SHARE = 4
_DIGESTS = {oid: name for name, oid in DIGEST_OIDS.items()}


@dataclass(frozen=True, slots=True)
class _Kept:
    """CRLs by URL, what they were made after, and until when they are as they should be."""

    generation: object
    since: datetime
    until: datetime
    crls: Mapping[str, bytes]


class FaultyPublisher:
    """Signs with the authorities' own keys, those that need no passphrase. Safe to call from several threads.

    ``generation`` gives an object that is another one whenever something was revoked or built.
    """

    def __init__(self, folder: Path, generation: Callable[[], object], clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._generation = generation
        self._clock = clock
        self._lock = Lock()
        self._kept = dict[tuple[str, CrlPlan], _Kept]()

    def crls(self, name: str, plan: CrlPlan) -> Mapping[str, bytes]:
        """The CRLs of an authority by URL, the complete one and its parts but deltas, as a plan wants them.

        They list what is revoked now, under the number of the CRL in whose place they stand. InputError
        when the key does not open, or no CRL was published.
        """
        now = self._clock().replace(microsecond=0)
        with self._lock:
            generation, kept = self._generation(), self._kept.get((name, plan))
            if kept is None or kept.generation is not generation or not kept.since <= now < kept.until:
                crls = self._signed(name, plan, now)
                kept = self._kept[name, plan] = _Kept(generation, now, now + _stands(plan), crls)
            return kept.crls

    def _signed(self, name: str, plan: CrlPlan, now: datetime) -> dict[str, bytes]:
        held = open_authority(self._folder, name)
        begins = now - timedelta(seconds=plan.age)
        with Store.open(self._folder, write=False) as store:
            issuers = load_crl_issuers(store)
            state = store.index.crl(f"{Role.AUTHORITY}/{name}")
            issuer = issuers.get(f"{Role.AUTHORITY}/{name}")
            if state is None or issuer is None:
                raise InputError(f"the authority '{name}' publishes no CRL")
            freshest = tuple(freshest_crl(plan.part_url(part)) for part in plan.parts if part.delta)
            said = CertificateListPlan(
                Certificate(held.certificate).subject,
                held.signer.key_identifier,
                state.number - 1 if plan.countdown else state.number,
                begins,
                begins + timedelta(seconds=plan.lifetime),
                plan.signature,
                (*freshest, *plan.extensions),
            )
            further = [
                RevokedCertificate(found.serial, begins, "unspecified", found.extensions)
                for found in plan.entries
            ]
            key = held.signer.key
            if plan.stranger:
                key = rogue_key(plan.stranger, kind_of(key).name)

            def sign(listed: Iterable[RevokedCertificate], extensions: tuple[Extension, ...]) -> bytes:
                whole = replace(said, extensions=extensions)
                # A list that the fault writes itself stands in the place of the one that would be there.
                found = () if _lists_itself(plan) else chain(listed, further)
                data = certificate_list(whole, found, key, None, plan.edits)
                return _in_form(plan.form, data, held)

            made = {plan.url: sign(crl_entries(store, issuer), said.extensions)}
            for part in plan.parts:
                if not part.delta:
                    listed = _listed(store, issuer, part, tuple(issuers.values()))
                    made[plan.part_url(part)] = sign(listed, (*_scope(plan, part), *plan.extensions))
            return made

    def concerns(self, name: str, request: bytes) -> bool:
        """Whether an OCSP request is about a certificate that an authority issued."""
        try:
            asked = parse(request)
        except ValueError:
            return False
        hashes = _hashes((self._folder / Role.AUTHORITY / name / f"{name}.crt").read_bytes())
        return any((one.digest, one.name_hash, one.key_hash) in hashes for one in asked.about)

    def answer(self, authorities: Sequence[str], plan: OcspPlan, request: bytes, right: bytes) -> bytes:
        """The answer that a plan wants, by the one of some authorities whose certificates are asked about.

        ``right`` is the sound answer, which tells how they stand; it is given where none of these is asked,
        or there is no sound answer to spoil. InputError when the key does not open.
        """
        name = next((one for one in authorities if self.concerns(one, request)), None)
        if name is None:
            return right
        held, asked = open_authority(self._folder, name), parse(request)
        truth = {one.cert_id: one.status for one in stated(right)}
        if not truth and not plan.status:
            return right
        about = [
            OcspQuery(one.serial, _DIGESTS[one.digest], truth[one.der])
            for one in asked.about
            if one.der in truth and one.digest in _DIGESTS
        ]
        maker = OcspResponseBuilder(
            held.signer,
            Certificate(held.certificate),
            rogue_key,
            token_bytes(_SERIAL_OCTETS),
            self._clock().replace(microsecond=0),
        )
        return maker.response(plan, name, about, _nonce(asked))


@lru_cache(maxsize=64)
def rogue_key(name: str, kind: str) -> PrivateKey:
    """A key that belongs to nobody, the same for all who say the word in this process."""
    return FreshKeys().generate(parse_kind(kind), name)


def _stands(plan: CrlPlan) -> timedelta:
    """How long a CRL is what its plan says, as time goes on: one of the future must not come into force."""
    return timedelta(seconds=max(abs(min(plan.age, 0) or plan.lifetime) // _FRESH_SHARE, 1))


def _lists_itself(plan: CrlPlan) -> bool:
    """Whether something is put before the extensions, where revokedCertificates has its place (5.1.2.6)."""
    return any(edit.path == (-1,) and edit.surgery is Surgery.INSERT for edit in plan.edits)


def _in_form(form: CrlForm, data: bytes, held: SigningAuthority) -> bytes:
    """What is at the URL (model.CrlForm)."""
    match form:
        case CrlForm.PEM:
            return pem.encode(pem.CRL, data)
        case CrlForm.EMPTY:
            return b""
        case CrlForm.CERTIFICATE:
            return held.certificate
        case _:
            return data


def _listed(
    store: Store, issuer: CrlIssuer, part: CrlPart, others: Sequence[CrlIssuer]
) -> Iterator[RevokedCertificate]:
    return indirect_entries(store, issuer, others) if part.indirect else crl_entries(store, issuer, part)


def _scope(plan: CrlPlan, part: CrlPart) -> tuple[Extension, ...]:
    """A part's issuing distribution point, unless the fault has one of its own."""
    if any(one.oid == oids.ISSUING_DISTRIBUTION_POINT for one in plan.extensions):
        return ()
    url = plan.part_url(part)
    return (issuing_distribution_point(url, reasons=part.reasons, indirect=part.indirect),)


@lru_cache(maxsize=64)
def _hashes(octets: bytes) -> frozenset[tuple[str, bytes, bytes]]:
    """Digest, name hash and key hash of the CertIDs that speak of an authority (RFC 6960, 4.1.1)."""
    held = Certificate(next(pem.blocks(octets)).data)
    name, key = held.subject_der, key_bits(held.subject_public_key_info)
    return frozenset(
        (oid, new(digest, name).digest(), new(digest, key).digest()) for digest, oid in DIGEST_OIDS.items()
    )


def _nonce(asked: Request) -> tuple[Extension, ...]:
    return () if asked.nonce is None else (Extension(oids.OCSP_NONCE, False, asked.nonce),)
