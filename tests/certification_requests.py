"""Certification requests for tests, made by cryptography or by openssl."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pkigen.keys import PrivateKey


def request(
    common_name: str = "device.contoso.test",
    names: Sequence[str] = (),
    key: PrivateKey | None = None,
    encoding: Encoding = Encoding.PEM,
) -> bytes:
    """Return a request; ``names`` are host names and addresses, ``key`` is by default a new P-256 key."""
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_name, names))), critical=False)
    signing = key or ec.generate_private_key(ec.SECP256R1())
    return builder.sign(signing, SHA256()).public_bytes(encoding)  # type: ignore[arg-type]


def write_key(path: Path, key: PrivateKey) -> None:
    """Write a key as PKCS#8 in PEM."""
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)
