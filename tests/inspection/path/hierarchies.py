"""Small hierarchies, built in memory with the builders of ``cryptography``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pkigen.x509 import Certificate, CertificateList

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
_DAY = timedelta(days=1)
_SERIAL_NUMBERS = count(1000)


@cache
def key(label: str) -> ec.EllipticCurvePrivateKey:
    """Return a key that all users of a label share."""
    return ec.generate_private_key(ec.SECP256R1())


def name(*common_names: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, value) for value in common_names])


def usage(*, ca: bool, crl_sign: bool = True) -> x509.KeyUsage:
    sign = not ca
    return x509.KeyUsage(sign, False, False, False, False, ca, ca and crl_sign, False, False)


@dataclass(frozen=True)
class Entity:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def parsed(self) -> Certificate:
        return Certificate(self.der)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def write(self, path: Path) -> Path:
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path


def issue(
    common_name: str,
    issuer: Entity | None = None,
    *extensions: x509.ExtensionType,
    ca: bool = False,
    crl_sign: bool = True,
    key_label: str | None = None,
    subject: x509.Name | None = None,
    end: datetime = NOW + 900 * _DAY,
) -> Entity:
    """Return a certificate; self-signed without ``issuer``. The name is the label of its key by default."""
    private = key(key_label or common_name)
    signer = issuer.key if issuer else private
    subject = name(common_name) if subject is None else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(private.public_key())
        .serial_number(next(_SERIAL_NUMBERS))
        .not_valid_before(NOW - 100 * _DAY)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(usage(ca=ca, crl_sign=crl_sign), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return Entity(builder.sign(signer, SHA256()), private)


def crl(
    issuer: Entity,
    *extensions: x509.ExtensionType,
    number: int = 1,
    revoked: dict[int, x509.ReasonFlags] | None = None,
    entries: tuple[x509.RevokedCertificate, ...] = (),
    start: datetime = NOW - _DAY,
    end: datetime = NOW + _DAY,
) -> CertificateList:
    """Return a CRL of an issuer; delta CRL indicators and distribution points are critical."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(start)
        .next_update(end)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    )
    for extension in extensions:
        critical = isinstance(extension, x509.DeltaCRLIndicator | x509.IssuingDistributionPoint)
        builder = builder.add_extension(extension, critical=critical)
    for serial, reason in (revoked or {}).items():
        builder = builder.add_revoked_certificate(entry(serial, x509.CRLReason(reason)))
    for one in entries:
        builder = builder.add_revoked_certificate(one)
    return CertificateList(builder.sign(issuer.key, SHA256()).public_bytes(Encoding.DER))


def entry(serial: int, *extensions: x509.ExtensionType) -> x509.RevokedCertificate:
    """Return a CRL entry; a certificate issuer is critical."""
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - 2 * _DAY)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.CertificateIssuer))
    return builder.build()
