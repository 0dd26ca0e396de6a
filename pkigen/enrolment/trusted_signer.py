"""Whether the server accepts the certificate with which a client signs a message."""

from __future__ import annotations

from pkigen.environment.enrol import Enrolled, Enroller
from pkigen.keys.verify import is_signed_by
from pkigen.model import Role
from pkigen.store import Store
from pkigen.x509 import Certificate


class UntrustedSigner(ValueError):
    """A certificate that no CA of the environment issued, or that is not valid."""


class RevokedSigner(UntrustedSigner):
    """A certificate that is revoked."""


def trusted_signer(certificate: Certificate, enroller: Enroller) -> Enrolled | None:
    """Return the record of a certificate or of its successor; None if no device requested it.

    Raises UntrustedSigner, and Malformed if the certificate cannot be decoded.
    """
    issuer = _issuer_of(certificate, enroller)
    if not certificate.not_before <= enroller.clock() < certificate.not_after:
        raise UntrustedSigner("the signer's certificate is not valid now")
    with Store.open(enroller.folder, write=False) as store:
        if store.index.revocation(f"{Role.AUTHORITY}/{issuer}", certificate.serial) is not None:
            raise RevokedSigner("the signer's certificate is revoked")
    enrolled = enroller.find(issuer=issuer, serial=certificate.serial, or_successor=True)
    if enrolled is not None and enroller.revocation(enrolled) is not None:
        raise RevokedSigner("the certificate that replaced the signer's is revoked")
    return enrolled


def _issuer_of(certificate: Certificate, enroller: Enroller) -> str:
    """Return the name of the authority of the environment that issued a certificate."""
    for spec in enroller.profile.authorities:
        authority = Certificate(enroller.chain(spec.name)[0])
        if authority.normalized_subject == certificate.normalized_issuer and is_signed_by(
            certificate, authority
        ):
            return spec.name
    raise UntrustedSigner("no CA of the environment issued the signer's certificate")
