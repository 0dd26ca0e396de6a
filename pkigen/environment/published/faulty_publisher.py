"""Signs faulty CRLs and OCSP responses in memory, for faults of the server. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import new
from itertools import chain
from pathlib import Path
from secrets import token_bytes
from threading import Lock

from cryptography.x509.ocsp import OCSPCertStatus, OCSPResponseStatus, load_der_ocsp_response

from pkigen.asn1 import oids
from pkigen.clock import later
from pkigen.environment.crl.entries import crl_entries
from pkigen.environment.crl.publish import part_entries, planned_entries, signed_plan
from pkigen.environment.ocsp.builder import SERIAL_BYTES, OcspQuery, OcspResponseBuilder, key_bits
from pkigen.environment.published.publishers import load_crl_issuers
from pkigen.environment.published.stored_keys import SigningAuthority, first_certificate, open_authority
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.keys import PrivateKey, kind_of
from pkigen.keys.kinds import parse_kind
from pkigen.keys.signing import DIGEST_OIDS
from pkigen.keys.sources import FreshKeys
from pkigen.model import CrlForm, CrlPart, CrlPlan, EditOp, Extension, OcspPlan, Role
from pkigen.revocation import RevokedCertificate, certificate_list
from pkigen.revocation.crl import issuing_distribution_point
from pkigen.revocation.ocsp import RevokedStatus
from pkigen.revocation.ocsp_request import CertId, parse
from pkigen.store import Store
from pkigen.x509 import Certificate

_FRESH_SHARE = 4
_DIGESTS = {oid: name for name, oid in DIGEST_OIDS.items()}


@dataclass(frozen=True, slots=True)
class _CachedCrls:
    """CRLs by URL, the generation that they were made in, and the period in which they are as planned."""

    generation: object
    since: datetime
    until: datetime
    crls: Mapping[str, bytes]


class FaultyPublisher:
    """Signs with the keys of authorities that need no passphrase. Thread-safe.

    ``generation`` returns a new object whenever a build or a command changed the environment.
    """

    def __init__(self, folder: Path, generation: Callable[[], object], clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._generation = generation
        self._clock = clock
        self._lock = Lock()
        self._cache = dict[tuple[str, CrlPlan], _CachedCrls]()

    def crls(self, name: str, plan: CrlPlan) -> Mapping[str, bytes]:
        """Return the CRLs of an authority as a plan requires them, without delta CRLs, by URL.

        They list the current revocations and have the number of the CRL that they replace. InputError if
        the key is encrypted or the authority publishes no CRL.
        """
        now = self._clock().replace(microsecond=0)
        with self._lock:
            generation, cached = self._generation(), self._cache.get((name, plan))
            if (
                cached is None
                or cached.generation is not generation
                or not cached.since <= now < cached.until
            ):
                crls = self._signed(name, plan, now)
                cached = _CachedCrls(generation, now, later(now, _cache_seconds(plan)), crls)
                self._cache[name, plan] = cached
            return cached.crls

    def _signed(self, name: str, plan: CrlPlan, now: datetime) -> dict[str, bytes]:
        authority = open_authority(self._folder, name)
        with Store.open(self._folder, write=False) as store:
            issuers = load_crl_issuers(store)
            state = store.index.crl(f"{Role.AUTHORITY}/{name}")
            issuer = issuers.get(f"{Role.AUTHORITY}/{name}")
            if state is None or issuer is None:
                raise InputError(f"the authority '{name}' publishes no CRL")
            number = state.number - 1 if plan.countdown else state.number
            tbs = signed_plan(plan, authority.certificate, authority.signer, number, now)
            further = planned_entries(plan, tbs.this_update)
            key = authority.signer.key
            if plan.rogue_key:
                key = self._rogue_key(plan.rogue_key, kind_of(key).name)

            def sign(entries: Iterable[RevokedCertificate], extensions: tuple[Extension, ...]) -> bytes:
                all_entries = () if _replaces_entries(plan) else chain(entries, further)
                crl = replace(tbs, extensions=extensions)
                return _in_form(
                    plan.form, certificate_list(crl, all_entries, key, None, plan.edits), authority
                )

            crls = {plan.url: sign(crl_entries(store, issuer), tbs.extensions)}
            for part in plan.parts:
                if not part.delta:
                    entries = part_entries(store, issuer, part, tuple(issuers.values()))
                    extensions = (*_scope(plan, part), *plan.extensions)
                    crls[plan.part_url(part)] = sign(entries, extensions)
            return crls

    def _rogue_key(self, name: str, kind: str) -> PrivateKey:
        """Return the key of another authority, or one that belongs to no entity."""
        if name.startswith(f"{Role.AUTHORITY}/"):
            return open_authority(self._folder, name.partition("/")[2]).signer.key
        return rogue_key(name, kind)

    def covers_request(self, name: str, request: bytes) -> bool:
        """Return whether an OCSP request is about a certificate that an authority issued."""
        try:
            query = parse(request)
        except ValueError:
            return False
        issuer_ids = _issuer_ids((self._folder / Role.AUTHORITY / name / f"{name}.crt").read_bytes())
        return any((one.digest, one.name_hash, one.key_hash) in issuer_ids for one in query.about)

    def answer(self, authorities: Sequence[str], plan: OcspPlan, request: bytes, correct: bytes) -> bytes:
        """Return the faulty response of the authority among ``authorities`` that a request is about.

        ``correct`` is the response without a fault, from which the true statuses are taken. It is returned
        if the request concerns none of the authorities, or if it is unsuccessful itself. InputError if the
        key is encrypted. A response that the authority signs contains certificates if ``correct`` does.
        """
        name = next((one for one in authorities if self.covers_request(one, request)), None)
        if name is None:
            return correct
        authority, query, statuses = open_authority(self._folder, name), parse(request), _statuses(correct)
        if not statuses and not plan.status:
            return correct
        queries = [
            OcspQuery(one.serial, _DIGESTS[one.digest], statuses[_key(one)])
            for one in query.about
            if one.digest in _DIGESTS and _key(one) in statuses
        ]
        builder = OcspResponseBuilder(
            authority.signer,
            Certificate(authority.certificate),
            rogue_key,
            lambda _planned: self._root_above(name),
            token_bytes(SERIAL_BYTES),
            self._clock().replace(microsecond=0),
        )
        nonce = () if query.nonce is None else (Extension(oids.OCSP_NONCE, False, query.nonce),)
        plan = replace(plan, certificates=not statuses or bool(load_der_ocsp_response(correct).certificates))
        return builder.response(plan, name, queries, nonce)

    def _root_above(self, name: str) -> SigningAuthority:
        """Return the root of an authority; InputError if there is none or its key is encrypted."""
        with Store.open(self._folder, write=False) as store:
            own = above = f"{Role.AUTHORITY}/{name}"
            while (issuer := store.index.entry(above).serials[0][0]) != above:
                above = issuer
        if above == own:
            raise InputError(f"the authority '{name}' is a root")
        return open_authority(self._folder, above.partition("/")[2])


@lru_cache(maxsize=64)
def rogue_key(name: str, kind: str) -> PrivateKey:
    """Return a process-wide throwaway key, cached by label and kind."""
    return FreshKeys().generate(parse_kind(kind), name)


_CertIdKey = tuple[str, bytes, bytes, int]


def _key(cert_id: CertId) -> _CertIdKey:
    return _DIGESTS[cert_id.digest], cert_id.name_hash, cert_id.key_hash, cert_id.serial


def _statuses(response: bytes) -> dict[_CertIdKey, RevokedStatus | str]:
    """Return the statuses in a response by CertID; empty if the response is unsuccessful."""
    loaded = load_der_ocsp_response(response)
    if loaded.response_status is not OCSPResponseStatus.SUCCESSFUL:
        return {}
    statuses = dict[_CertIdKey, RevokedStatus | str]()
    for single in loaded.responses:
        status: RevokedStatus | str = single.certificate_status.name.lower()
        if single.certificate_status is OCSPCertStatus.REVOKED:
            assert single.revocation_time_utc is not None
            reason = single.revocation_reason.value if single.revocation_reason else "unspecified"
            status = RevokedStatus(single.revocation_time_utc.astimezone(UTC), reason)
        digest = single.hash_algorithm.name
        statuses[digest, single.issuer_name_hash, single.issuer_key_hash, single.serial_number] = status
    return statuses


def _cache_seconds(plan: CrlPlan) -> int:
    """Return how long a generated CRL may be cached; a not-yet-valid CRL must never become valid."""
    return max(abs(min(plan.age, 0) or plan.lifetime) // _FRESH_SHARE, 1)


def _replaces_entries(plan: CrlPlan) -> bool:
    """Return whether the fault inserts its own revokedCertificates, which come before the extensions."""
    return any(edit.path == (-1,) and edit.op is EditOp.INSERT for edit in plan.edits)


def _in_form(form: CrlForm, crl: bytes, authority: SigningAuthority) -> bytes:
    match form:
        case CrlForm.PEM:
            return pem.encode(pem.CRL, crl)
        case CrlForm.EMPTY:
            return b""
        case CrlForm.CERTIFICATE:
            return authority.certificate
        case _:
            return crl


def _scope(plan: CrlPlan, part: CrlPart) -> tuple[Extension, ...]:
    """Return a part's issuing distribution point, unless the fault has its own."""
    if any(one.oid == oids.ISSUING_DISTRIBUTION_POINT for one in plan.extensions):
        return ()
    url = plan.part_url(part)
    return (issuing_distribution_point(url, reasons=part.reasons, indirect=part.indirect),)


@lru_cache(maxsize=64)
def _issuer_ids(pem_file: bytes) -> frozenset[tuple[str, bytes, bytes]]:
    """Return digest OID, name hash and key hash of the CertIDs of a CA (RFC 6960, section 4.1.1)."""
    certificate = Certificate(first_certificate(pem_file))
    name, key = certificate.subject_der, key_bits(certificate.subject_public_key_info)
    return frozenset(
        (oid, new(digest, name).digest(), new(digest, key).digest()) for digest, oid in DIGEST_OIDS.items()
    )
