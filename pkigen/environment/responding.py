"""OCSP answers about every certificate of an environment, signed when they are asked for (RFC 6960, 5019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import new
from pathlib import Path
from threading import Lock
from typing import Any

from pkigen import der, oids
from pkigen.errors import InputError, PkigenError
from pkigen.formats import pem
from pkigen.formats.reading import read_private_key
from pkigen.issue import Signer, signer
from pkigen.keys.signing import DIGEST_OIDS
from pkigen.model import Extension, Role
from pkigen.revocation import ocsp
from pkigen.revocation.ocsp_request import CertId, parse
from pkigen.store import Revoked, Store
from pkigen.x509 import Certificate, Malformed

LIFE = timedelta(days=1)
"""How long an answer is good for; it is signed anew when half of that is over."""
_MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """An OCSPResponse, and until when it may be kept; None for what is said once."""

    response: bytes
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Authority:
    """Who answers: the id in the index, the name in the manifest, what CertIDs speak of, the key."""

    id: str
    name: str
    issuer: ocsp.Issuer
    signer: Signer


class Responder:
    """Answers for the authorities of a built environment whose keys lie in it without a passphrase.

    ``manifest`` gives the manifest as it is now, ``clock`` the time. Safe to call from several threads.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Callable[[], Mapping[str, Any]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._clock = clock
        self._lock = Lock()
        self._seen: Mapping[str, Any] | None = None
        self._authorities = dict[tuple[str, bytes, bytes], _Authority]()
        self._issued = frozenset[tuple[str, int]]()
        self._kept = dict[bytes, tuple[object, Answer]]()

    def answer(self, request: bytes) -> Answer:
        """The answer to a request in DER; what is no request is told so, and never raises."""
        try:
            asked = parse(request)
        except ValueError:
            return Answer(ocsp.unsuccessful(ocsp.ResponseStatus.MALFORMED_REQUEST))
        with self._lock:
            self._look()
            found = {self._authorities.get((one.digest, one.name_hash, one.key_hash)) for one in asked.about}
            authority = found.pop()
            if authority is None or found:
                return Answer(ocsp.unsuccessful(ocsp.ResponseStatus.UNAUTHORIZED))
            now = self._clock().replace(microsecond=0)
            try:
                with Store.open(self._folder, write=False) as store:
                    revoked = [store.index.revocation(authority.id, one.serial) for one in asked.about]
            except PkigenError:
                return Answer(ocsp.unsuccessful(ocsp.ResponseStatus.INTERNAL_ERROR))
            key = b"".join(one.der for one in asked.about)
            state, kept = self._kept.get(key, (None, None))
            if asked.nonce is None and kept and kept.until and state == revoked and now < kept.until:
                return kept
            given = self._signed(authority, asked.about, revoked, asked.nonce, now)
            if asked.nonce is None:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[key] = (revoked, given)
            return given

    def _signed(
        self,
        authority: _Authority,
        about: tuple[CertId, ...],
        revoked: list[Revoked | None],
        nonce: bytes | None,
        now: datetime,
    ) -> Answer:
        singles = [
            ocsp.SingleResponse(one.der, self._status(authority, one.serial, found), now, now + LIFE)
            for one, found in zip(about, revoked, strict=True)
        ]
        echoed = () if nonce is None else (Extension(oids.OCSP_NONCE, False, nonce),)
        data = ocsp.response_data(ocsp.by_key(authority.issuer.key), now, singles, echoed)
        response = ocsp.successful(ocsp.basic_response(data, authority.signer.key))
        return Answer(response, None if nonce is not None else now + LIFE / 2)

    def _status(self, authority: _Authority, serial: int, found: Revoked | None) -> ocsp.Revoked | str:
        if found is not None:
            return ocsp.Revoked(datetime.fromtimestamp(found.at, UTC), found.reason)
        return "good" if (authority.name, serial) in self._issued else "unknown"

    def _look(self) -> None:
        """Know the authorities and what they issued, as the manifest has them now."""
        manifest = self._manifest()
        if manifest is self._seen:
            return
        self._seen = manifest
        self._authorities = {}
        for data in manifest.get("authorities", ()):
            authority = self._authority(data)
            if authority is not None:
                issuer = authority.issuer
                for name, digest in DIGEST_OIDS.items():
                    hashes = new(name, issuer.name).digest(), new(name, issuer.key).digest()
                    self._authorities[digest, *hashes] = authority
        everything = (*manifest.get("authorities", ()), *manifest.get("cases", ()))
        self._issued = frozenset(
            (one["issuer"], int(one["serial"], 16))
            for data in everything
            for one in (data, *data["cross_certificates"])
            if one["issuer"] is not None
        )

    def _authority(self, data: Mapping[str, Any]) -> _Authority | None:
        """One that can answer: its certificate can be read, its key is here and open."""
        try:
            octets = (self._folder / data["files"]["certificate"]).read_bytes()
            held = Certificate(next(pem.blocks(octets)).data)
            key = (self._folder / data["files"]["key"]).read_bytes()
            own = signer(read_private_key(key, None, ours=True))
            _, bits = der.children(held.subject_public_key_info)
            issuer = ocsp.Issuer(held.subject_der, der.contents(bits)[1:])
        except (KeyError, OSError, InputError, Malformed, ValueError, StopIteration):
            return None
        return _Authority(f"{Role.AUTHORITY}/{data['name']}", data["name"], issuer, own)
