"""Keys and certification requests of requesters in this process: the server itself, appliances of the lab."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.enrolment.requested_key import new_key
from pkigen.profile.enrolment import Template

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def tls_key(template: Template) -> Key:
    """Return a new key of the template's kind, or an EC key if TLS clients do not support that kind."""
    key = new_key(template)
    return key if isinstance(key, Key) else ec.generate_private_key(ec.SECP256R1())


def certification_request(key: Key, subject: x509.Name, hosts: Sequence[str]) -> bytes:
    """Return a certification request (DER) for a subject, host names and IP addresses."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if hosts:
        names = x509.SubjectAlternativeName(map(_general_name, hosts))
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
