"""Responds to OCSP requests about every certificate of an environment (RFC 6960, RFC 5019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import new
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from pkigen.asn1 import oids
from pkigen.clock import later
from pkigen.environment.manifest.schema import Manifest
from pkigen.environment.ocsp.signer import OcspSigner, load_signer
from pkigen.errors import InputError, PkigenError
from pkigen.keys.signing import DIGEST_OIDS
from pkigen.model import Extension, Role
from pkigen.revocation import ocsp
from pkigen.revocation.ocsp_request import CertId, parse
from pkigen.store import Revoked, Store
from pkigen.x509 import Malformed

_MAX_CACHED_RESPONSES = 4096
_MAX_CACHED_STATUSES = 65_536

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class OcspAnswer:
    """An OCSPResponse and its validity; without times, caches must not store it."""

    response: bytes
    this_update: datetime | None = None
    next_update: datetime | None = None


_MALFORMED = OcspAnswer(ocsp.unsuccessful(ocsp.ResponseStatus.MALFORMED_REQUEST))
_UNAUTHORIZED = OcspAnswer(ocsp.unsuccessful(ocsp.ResponseStatus.UNAUTHORIZED))
_INTERNAL_ERROR = OcspAnswer(ocsp.unsuccessful(ocsp.ResponseStatus.INTERNAL_ERROR))

IssuerId = tuple[str, bytes, bytes]
"""The issuer in a CertID: OID of the digest, hash of the CA's name, hash of its key."""


@dataclass(frozen=True)
class _Snapshot:
    """The state of the environment for one version of the manifest, with caches that die with it.

    ``issued`` are (authority name, serial). ``responses`` are by request.
    """

    version: Mapping[str, Any]
    signers: Mapping[IssuerId, OcspSigner]
    issued: frozenset[tuple[str, int]]
    statuses: dict[tuple[str, int], ocsp.RevokedStatus | str] = field(default_factory=dict)
    responses: dict[bytes, OcspAnswer] = field(default_factory=dict)


class OcspResponder:
    """Responds for every authority whose key, or whose responder's key, can be loaded.

    ``manifest`` returns the current manifest document, and a new object whenever it changed. Every change
    of a revocation writes the manifest last, so no cached response is older than a revocation. Thread-safe.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Callable[[], Mapping[str, Any]],
        clock: Callable[[], datetime],
        passphrases: Sequence[bytes] = (),
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._clock = clock
        self._passphrases = passphrases
        self._snapshot: _Snapshot | None = None

    def cached(self, request: bytes) -> OcspAnswer | None:
        """Return the cached response to a request if at least half of its lifetime is left."""
        snapshot, now = self._current(), self._clock()
        answer = snapshot.responses.get(request)
        if answer is None or answer.this_update is None or answer.next_update is None:
            return None
        half = (answer.next_update - answer.this_update) / 2
        return answer if answer.this_update <= now < answer.next_update - half else None

    def respond(self, request: bytes) -> OcspAnswer:
        """Return the response to a request in DER, also to a malformed one; never raises."""
        try:
            query = parse(request)
        except ValueError:
            return _MALFORMED
        snapshot = self._current()
        signers = {snapshot.signers.get((one.digest, one.name_hash, one.key_hash)) for one in query.about}
        signer = signers.pop()
        if signer is None or signers:
            return _UNAUTHORIZED
        try:
            statuses = [self._status(snapshot, signer.authority, one) for one in query.about]
        except PkigenError:
            return _INTERNAL_ERROR
        now = self._clock().replace(microsecond=0)
        next_update = later(now, signer.lifetime)
        singles = [
            ocsp.SingleResponse(one.der, status, now, next_update)
            for one, status in zip(query.about, statuses, strict=True)
        ]
        if query.nonce is not None:
            nonce = Extension(oids.OCSP_NONCE, False, query.nonce)
            return OcspAnswer(signer.response(now, singles, (nonce,)))
        answer = OcspAnswer(signer.response(now, singles), now, next_update)
        _cache(snapshot.responses, request, answer, _MAX_CACHED_RESPONSES)
        return answer

    def respond_about(self, authority: str, serial: int) -> OcspAnswer:
        """Return the response about one certificate of an authority, for stapling (RFC 6066, section 8)."""
        request = self.request_about(authority, serial)
        return _UNAUTHORIZED if request is None else self.cached(request) or self.respond(request)

    def request_about(self, authority: str, serial: int) -> bytes | None:
        """Return a request about one certificate of an authority; None if nothing can sign the response."""
        signers = self._current().signers.values()
        signer = next((one for one in signers if one.authority == authority), None)
        return None if signer is None else signer.request(serial)

    def _status(self, snapshot: _Snapshot, authority: str, cert_id: CertId) -> ocsp.RevokedStatus | str:
        key = authority, cert_id.serial
        if key in snapshot.statuses:
            return snapshot.statuses[key]
        with Store.open(self._folder, write=False) as store:
            issuer = f"{Role.AUTHORITY}/{authority}"
            revoked = store.index.revocation(issuer, cert_id.serial)
            # The manifest lists a certificate that a device requested a moment later.
            subject = store.index.subject_of(issuer, cert_id.serial)
            is_enrolled = subject is not None and store.index.enrolled.get(subject) is not None
            is_in_fleet = store.index.shards.of_serial(issuer, cert_id.serial) is not None
        status = _status(revoked, is_issued=is_enrolled or is_in_fleet or key in snapshot.issued)
        _cache(snapshot.statuses, key, status, _MAX_CACHED_STATUSES)
        return status

    def _current(self) -> _Snapshot:
        version, snapshot = self._manifest(), self._snapshot
        if snapshot is not None and snapshot.version is version:
            return snapshot
        try:
            manifest = Manifest.model_validate(version)
        except ValidationError:
            self._snapshot = _Snapshot(version, {}, frozenset())
            return self._snapshot
        issued = frozenset(
            (issuer, int(serial, 16))
            for entity in (*manifest.authorities, *manifest.end_entities)
            for issuer, serial in (
                *((one.issuer, one.serial) for one in (entity, *entity.cross_certificates)),
                *((one.issuer, one.serial) for one in entity.earlier_certificates),
            )
            if issuer is not None
        )
        self._snapshot = _Snapshot(version, self._signers(manifest, snapshot), issued)
        return self._snapshot

    def _signers(self, manifest: Manifest, previous: _Snapshot | None) -> dict[IssuerId, OcspSigner]:
        """Load the signers; those whose certificates did not change are taken from ``previous``."""
        loaded = {one.fingerprints: one for one in previous.signers.values()} if previous else {}
        cases = {case.name: case for case in manifest.cases}
        signers = dict[IssuerId, OcspSigner]()
        for authority in manifest.authorities:
            name = authority.ocsp.responder if authority.ocsp else None
            responder = cases.get(name) if name else None
            fingerprints = (authority.sha256, responder.sha256 if responder else "", str(authority.ocsp))
            signer = loaded.get(fingerprints)
            if signer is None:
                try:
                    signer = load_signer(self._folder, authority, responder, fingerprints, self._passphrases)
                except (KeyError, OSError, InputError, Malformed, ValueError, StopIteration):
                    continue
            for digest, oid in DIGEST_OIDS.items():
                issuer = signer.issuer
                signers[oid, new(digest, issuer.name).digest(), new(digest, issuer.key).digest()] = signer
        return signers


def _status(revoked: Revoked | None, *, is_issued: bool) -> ocsp.RevokedStatus | str:
    if revoked is not None:
        return ocsp.RevokedStatus(datetime.fromtimestamp(revoked.at, UTC), revoked.reason)
    return "good" if is_issued else "unknown"


def _cache(cache: dict[Key, Value], key: Key, value: Value, limit: int) -> None:
    """Store a value; a full cache is emptied first."""
    if len(cache) >= limit:
        cache.clear()
    cache[key] = value
