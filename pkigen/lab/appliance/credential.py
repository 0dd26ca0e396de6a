"""The certificate, chain and private key that an appliance presents."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pkigen.asn1 import names
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.inspection.artifacts import read_path
from pkigen.keys import to_pkcs8
from pkigen.x509 import Certificate

_LOCAL_BITS = 2048
_LOCAL_DAYS = 3650
_TLS_1_3_TICKETS = 0


@dataclass(frozen=True, slots=True)
class Credential:
    """``certificates`` are the appliance's certificate and the chain in the uploaded order."""

    certificates: tuple[Certificate, ...]
    pkcs8: bytes = field(repr=False)

    @property
    def leaf(self) -> Certificate:
        """The appliance's certificate."""
        return self.certificates[0]

    @property
    def anchors(self) -> tuple[Certificate, ...]:
        """The trust anchors: the self-signed certificates of the chain."""
        return tuple(one for one in self.certificates[1:] if one.is_self_issued)

    def as_file(self) -> bytes:
        """Return a PEM file: the key, then the certificates."""
        blocks = (pem.certificate(one.der) for one in self.certificates)
        return pem.encode("PRIVATE KEY", self.pkcs8) + b"".join(blocks)


def read_credential(paths: Sequence[Path], passphrases: Sequence[bytes] = ()) -> Credential:
    """Read a credential from files, the certificate before its chain.

    InputError if a certificate or key is missing.
    """
    artifacts = [one for path in paths for one in read_path(path, passphrases)]
    certificates = tuple(one.certificate for one in artifacts if one.certificate is not None)
    key = next((one.key.pkcs8 for one in artifacts if one.key is not None and one.key.pkcs8), None)
    if not certificates or key is None:
        raise InputError(f"{paths[0]}: no certificate, or no private key that can be decrypted")
    return Credential(tuple(dict.fromkeys(certificates)), key)


def local_credential(name: str, host: str, now: datetime) -> Credential:
    """Create the locally self-signed credential that an appliance has before the first upload."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_LOCAL_BITS)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Locally self-signed"),
            x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_LOCAL_DAYS))
        .add_extension(x509.SubjectAlternativeName([_alternative_name(host)]), critical=False)
    )
    certificate = builder.sign(key, SHA256())
    return Credential((Certificate(certificate.public_bytes(Encoding.DER)),), to_pkcs8(key))


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def server_context(path: Path) -> ssl.SSLContext:
    """Return a TLS context for a credential file; ssl.SSLError or ValueError if OpenSSL rejects it."""
    context = _context()
    context.load_cert_chain(path)
    return context


def _context() -> ssl.SSLContext:
    """Return a context for TLS 1.2 and 1.3 without session tickets, so that no old certificate is resumed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = _TLS_1_3_TICKETS
    # Keys below OpenSSL's default size limit are "unsupported", but not rejected at upload.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def openssl_reason(error: Exception) -> str:
    """Return OpenSSL's reason why it cannot load a credential."""
    return str(getattr(error, "reason", None) or error)


def display_name(certificate: Certificate) -> str:
    """Return the common name of a certificate, or else its subject."""
    common_names = names.values(certificate.subject, names.COMMON_NAME)
    return common_names[0] if common_names else names.text(certificate.subject)
