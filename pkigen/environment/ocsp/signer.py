"""Loads the credentials that sign OCSP responses for an authority: its own, or a delegated responder's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pkigen.asn1 import der
from pkigen.environment.manifest.schema import Authority, Case
from pkigen.environment.ocsp.builder import key_bits
from pkigen.environment.published.stored_keys import first_certificate, open_key
from pkigen.keys import PrivateKey
from pkigen.model import Extension
from pkigen.revocation import ocsp
from pkigen.x509 import Certificate

_LIFETIME = 86_400
"""Seconds that a response is valid for if the profile does not specify it."""


@dataclass(frozen=True)
class OcspSigner:
    """Signs responses for the certificates of the authority with the name ``authority``.

    ``issuer`` is the issuer in CertIDs, ``responder`` the ResponderID in DER, ``certificates`` go into each
    response, ``lifetime`` is that of a response in seconds. ``fingerprints`` identify the files that the
    signer was loaded from.
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
        """Return a signed OCSPResponse."""
        data = ocsp.response_data(self.responder, now, singles, extensions)
        return ocsp.successful(ocsp.basic_response(data, self.key, certificates=self.certificates))

    def request(self, serial: int) -> bytes:
        """Return an OCSPRequest for a certificate of the authority, as RFC 5019 requires it."""
        request = der.sequence(ocsp.cert_id(self.issuer, serial))
        return der.sequence(der.sequence(der.sequence(request)))


def load_signer(
    folder: Path,
    authority: Authority,
    responder: Case | None,
    fingerprints: tuple[str, ...],
    passphrases: Sequence[bytes],
) -> OcspSigner:
    """Load the signer of an authority; ``responder`` is the delegated responder's certificate, if any.

    Raises KeyError, OSError, ValueError, StopIteration or Malformed for missing or damaged files, and
    InputError for a key that no passphrase decrypts.
    """
    signing = responder or authority
    ca, own = _certificate(folder, authority), _certificate(folder, signing)
    issuer = ocsp.Issuer(ca.subject_der, key_bits(ca.subject_public_key_info))
    by_name = authority.ocsp is not None and authority.ocsp.by == "name"
    bits = key_bits(own.subject_public_key_info)
    responder_id = ocsp.by_name(own.subject_der) if by_name else ocsp.by_key(bits)
    key = open_key((folder / signing.files["key"]).read_bytes(), signing.name, passphrases)
    omits_certificate = responder is None and authority.ocsp is not None and not authority.ocsp.certificates
    certificates = () if omits_certificate else (own.der,)
    lifetime = _LIFETIME if authority.ocsp is None else authority.ocsp.valid
    return OcspSigner(authority.name, issuer, responder_id, key, certificates, lifetime, fingerprints)


def _certificate(folder: Path, entity: Authority | Case) -> Certificate:
    return Certificate(first_certificate((folder / entity.files["certificate"]).read_bytes()))
