"""Who signs OCSP answers for an authority: it, or a certificate that it has issued for that (RFC 6960)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pkigen.asn1 import der
from pkigen.environment.ocsp.builder import key_bits
from pkigen.environment.published.stored_keys import open_key
from pkigen.formats import pem
from pkigen.keys import PrivateKey
from pkigen.model import Extension
from pkigen.revocation import ocsp
from pkigen.x509 import Certificate

_LIFETIME = 86_400
"""Seconds that an answer is good for where the profile does not say."""


@dataclass(frozen=True)
class OcspSigner:
    """Signs answers for the authority called ``authority``; ``lifetime`` of each is in seconds.

    ``issuer`` is what CertIDs say of it, ``responder`` the ResponderID in DER, ``certificates`` what answers
    bring along. ``fingerprints`` tell when files are others than those it was read from.
    """

    authority: str
    issuer: ocsp.Issuer
    responder: bytes
    key: PrivateKey = field(repr=False)
    certificates: tuple[bytes, ...]
    lifetime: int
    fingerprints: tuple[str, ...]

    def response(
        self,
        now: datetime,
        singles: Sequence[ocsp.SingleResponse],
        extensions: tuple[Extension, ...] = (),
    ) -> bytes:
        """An OCSPResponse, signed."""
        data = ocsp.response_data(self.responder, now, singles, extensions)
        return ocsp.successful(ocsp.basic_response(data, self.key, certificates=self.certificates))

    def request(self, serial: int) -> bytes:
        """An OCSPRequest about a certificate of the authority, as RFC 5019 wants it."""
        asked = der.sequence(ocsp.cert_id(self.issuer, serial))
        return der.sequence(der.sequence(der.sequence(asked)))


def load_signer(
    folder: Path,
    authority: Mapping[str, Any],
    responder: Mapping[str, Any] | None,
    fingerprints: tuple[str, ...],
    passphrases: Sequence[bytes],
) -> OcspSigner:
    """Read what is needed; both are objects of the manifest, ``responder`` None where there is none.

    Raises whatever files raise that are not there or not as they should be, and InputError for a key that
    does not open.
    """
    told, signing = authority.get("ocsp") or {}, responder or authority
    held, own = (_certificate(folder, data) for data in (authority, signing))
    issuer = ocsp.Issuer(held.subject_der, key_bits(held.subject_public_key_info))
    bits = key_bits(own.subject_public_key_info)
    identifier = ocsp.by_name(own.subject_der) if told.get("by") == "name" else ocsp.by_key(bits)
    data = (folder / signing["files"]["key"]).read_bytes()
    key = open_key(data, signing["name"], passphrases)
    enclosed = (own.der,) if responder else ()
    lifetime = int(told.get("valid", _LIFETIME))
    return OcspSigner(authority["name"], issuer, identifier, key, enclosed, lifetime, fingerprints)


def _certificate(folder: Path, data: Mapping[str, Any]) -> Certificate:
    octets = (folder / data["files"]["certificate"]).read_bytes()
    return Certificate(next(pem.blocks(octets)).data)
