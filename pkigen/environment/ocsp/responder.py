"""OCSP answers about every certificate of an environment, signed when they are asked for (RFC 6960, 5019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import new
from pathlib import Path
from typing import Any

from pkigen.asn1 import oids
from pkigen.environment.ocsp.signer import OcspSigner, load_signer
from pkigen.errors import InputError, PkigenError
from pkigen.keys.signing import DIGEST_OIDS
from pkigen.model import Extension, Role
from pkigen.revocation import ocsp
from pkigen.revocation.ocsp_request import CertId, parse
from pkigen.store import Revoked, Store
from pkigen.x509 import Malformed

_MOST_KEPT = 4096
_MOST_KNOWN = 65_536


@dataclass(frozen=True, slots=True)
class OcspAnswer:
    """An OCSPResponse, and how long a cache may keep it; no times for what is said once."""

    response: bytes
    this_update: datetime | None = None
    next_update: datetime | None = None


_MALFORMED = OcspAnswer(ocsp.unsuccessful(ocsp.ResponseStatus.MALFORMED_REQUEST))
_UNAUTHORIZED = OcspAnswer(ocsp.unsuccessful(ocsp.ResponseStatus.UNAUTHORIZED))
_INTERNAL_ERROR = OcspAnswer(ocsp.unsuccessful(ocsp.ResponseStatus.INTERNAL_ERROR))

Issuer = tuple[str, bytes, bytes]
"""Whom a CertID names: the digest's OID, the hashes of the CA's name and of its key."""


@dataclass(frozen=True)
class _State:
    """What is known as long as the manifest stays as it is.

    ``issued`` are (authority, serial); ``standing`` is how those stand that were asked for, ``kept`` the
    answers that are given again, by the request.
    """

    manifest: Mapping[str, Any]
    signers: Mapping[Issuer, OcspSigner]
    issued: frozenset[tuple[str, int]]
    standing: dict[tuple[str, int], ocsp.RevokedStatus | str] = field(default_factory=dict)
    kept: dict[bytes, OcspAnswer] = field(default_factory=dict)


class OcspResponder:
    """Answers for the authorities of a built environment whose keys, or their responders', can be opened.

    ``manifest`` gives the manifest as it is now, another object whenever it has changed: every command and
    build that changes a revocation writes it last. So no answer is older than the revocation it is about.
    Safe to call from several threads.
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
        self._held: _State | None = None

    def kept(self, request: bytes) -> OcspAnswer | None:
        """The answer to a request that was signed before, and is good for half of its life still."""
        state, now = self._state(), self._clock()
        found = state.kept.get(request)
        if found is None or found.this_update is None or found.next_update is None:
            return None
        fresh = found.this_update <= now < found.next_update - (found.next_update - found.this_update) / 2
        return found if fresh else None

    def answer(self, request: bytes) -> OcspAnswer:
        """The answer to a request in DER; what is no request is told so, and never raises."""
        try:
            asked = parse(request)
        except ValueError:
            return _MALFORMED
        state = self._state()
        signers = {state.signers.get((one.digest, one.name_hash, one.key_hash)) for one in asked.about}
        signer = signers.pop()
        if signer is None or signers:
            return _UNAUTHORIZED
        try:
            stand = [self._standing(state, signer.authority, one) for one in asked.about]
        except PkigenError:
            return _INTERNAL_ERROR
        now = self._clock().replace(microsecond=0)
        until = now + timedelta(seconds=signer.lifetime)
        singles = [
            ocsp.SingleResponse(one.der, status, now, until)
            for one, status in zip(asked.about, stand, strict=True)
        ]
        if asked.nonce is not None:
            return OcspAnswer(
                signer.response(now, singles, (Extension(oids.OCSP_NONCE, False, asked.nonce),))
            )
        given = OcspAnswer(signer.response(now, singles), now, until)
        _remember(state.kept, request, given, _MOST_KEPT)
        return given

    def about(self, authority: str, serial: int) -> OcspAnswer:
        """The answer about one certificate of an authority, by its name, as it is stapled (RFC 6066, 8)."""
        state = self._state()
        found = next((one for one in state.signers.values() if one.authority == authority), None)
        if found is None:
            return _UNAUTHORIZED
        request = found.request(serial)
        return self.kept(request) or self.answer(request)

    def _standing(self, state: _State, authority: str, asked: CertId) -> ocsp.RevokedStatus | str:
        known = state.standing.get((authority, asked.serial))
        if known is not None:
            return known
        with Store.open(self._folder, write=False) as store:
            revoked = store.index.revocation(f"{Role.AUTHORITY}/{authority}", asked.serial)
        found = _status(revoked, (authority, asked.serial) in state.issued)
        _remember(state.standing, (authority, asked.serial), found, _MOST_KNOWN)
        return found

    def _state(self) -> _State:
        """What is known of the environment as its manifest is now."""
        manifest, held = self._manifest(), self._held
        if held is not None and held.manifest is manifest:
            return held
        everything = (*manifest.get("authorities", ()), *manifest.get("cases", ()))
        issued = frozenset(
            (str(one["issuer"]), int(one["serial"], 16))
            for data in everything
            for one in (data, *data["cross_certificates"])
            if one["issuer"] is not None
        )
        self._held = _State(manifest, dict(self._signers(manifest, held)), issued)
        return self._held

    def _signers(self, manifest: Mapping[str, Any], held: _State | None) -> dict[Issuer, OcspSigner]:
        """Who signs for whom. Keys are not read again where no certificate changed."""
        known = {one.fingerprints: one for one in held.signers.values()} if held else {}
        cases = {one["name"]: one for one in manifest.get("cases", ())}
        found = dict[Issuer, OcspSigner]()
        for data in manifest.get("authorities", ()):
            told = data.get("ocsp") or {}
            responder = cases.get(told.get("responder"))
            fingerprints = (data["sha256"], responder["sha256"] if responder else "", str(told))
            signer = known.get(fingerprints)
            if signer is None:
                try:
                    signer = load_signer(self._folder, data, responder, fingerprints, self._passphrases)
                except (KeyError, OSError, InputError, Malformed, ValueError, StopIteration):
                    continue
            for name, digest in DIGEST_OIDS.items():
                issuer = signer.issuer
                found[digest, new(name, issuer.name).digest(), new(name, issuer.key).digest()] = signer
        return found


def _status(found: Revoked | None, issued: bool) -> ocsp.RevokedStatus | str:
    if found is not None:
        return ocsp.RevokedStatus(datetime.fromtimestamp(found.at, UTC), found.reason)
    return "good" if issued else "unknown"


def _remember(held: dict[Any, Any], key: object, value: object, most: int) -> None:
    """Keep a value; all are dropped where there are too many."""
    if len(held) >= most:
        held.clear()
    held[key] = value
