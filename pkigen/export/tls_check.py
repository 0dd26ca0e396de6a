"""Checks whether a TLS library loads a certificate and its key: otherwise a server does not start."""

from __future__ import annotations

import hashlib
import re
import ssl
import warnings
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import (
    CertificatePolicies,
    CRLDistributionPoints,
    DuplicateExtension,
    Extension,
    InvalidVersion,
    IPAddress,
    SubjectAlternativeName,
    UnsupportedGeneralNameType,
    load_der_x509_certificate,
)
from cryptography.x509.oid import ExtensionOID

from pkigen.asn1 import der
from pkigen.errors import panics_as_errors
from pkigen.export.case_files import CaseFiles, Check, NotExportable
from pkigen.inspection.artifacts import Artifact, Kind, read
from pkigen.keys import kind_of, load_private
from pkigen.x509 import Malformed

_REFUSALS = (DuplicateExtension, InvalidVersion, UnsupportedGeneralNameType)
_CERTIFICATE = re.compile(rb"^-----BEGIN CERTIFICATE-----", re.MULTILINE)
_KEY = re.compile(rb"^-----BEGIN (RSA |EC )?PRIVATE KEY-----", re.MULTILINE)
_LARGE_EXPONENT = 2**31
_MOST_PROBLEMS = 10_000
_PROBLEMS: dict[bytes, str] = {}
"""What loads_in_openssl found, by a digest of level and files: most targets check a case more than once."""
_NEVER_CRITICAL = (
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
)


def loads_in_openssl(level: int = 0) -> Check:
    """Return a check that loads the files with OpenSSL at a security level; level 0 permits everything."""

    def loads(material: CaseFiles) -> None:
        digest = hashlib.sha256(
            b"%d %d " % (level, len(material.full)) + material.full + material.key
        ).digest()
        if digest not in _PROBLEMS:
            if len(_PROBLEMS) >= _MOST_PROBLEMS:
                _PROBLEMS.clear()
            _PROBLEMS[digest] = _problem(material, level)
        if problem := _PROBLEMS[digest]:
            raise NotExportable(problem)

    return loads


def _problem(material: CaseFiles, level: int) -> str:
    """Return why OpenSSL does not load the files; empty if it does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(f"ALL:@SECLEVEL={level}")
    with TemporaryDirectory(prefix="pkigen-") as name:
        certificate, key = Path(name, "certificate.pem"), Path(name, "key.pem")
        certificate.write_bytes(material.full)
        key.write_bytes(material.key)
        try:
            context.load_cert_chain(certificate, key, password="")
        except ssl.SSLError as error:
            return f"OpenSSL does not load it: {_describe(error)}"
        except (OSError, ValueError):
            return "OpenSSL does not load it"
    return ""


def _describe(error: ssl.SSLError) -> str:
    return (error.reason or "not PEM, or truncated").replace("_", " ").lower()


def loads_in_strict_parsers(*kinds: str, least_rsa: int, in_go: bool = False) -> Check:
    """Return a check for libraries with strict parsers, such as Go and BoringSSL.

    It uses pyca/cryptography as an approximation. The libraries support RSA keys of at least ``least_rsa``
    bits, and the key types in ``kinds``. ``in_go`` adds what Go rejects since 1.24.
    """
    by_openssl = loads_in_openssl()

    def loads(material: CaseFiles) -> None:
        by_openssl(material)
        certificates = [one for one in read(material.full, "") if one.kind is Kind.CERTIFICATE]
        if len(certificates) != len(_CERTIFICATE.findall(material.full)) or not _KEY.search(material.key):
            raise NotExportable("strict parsers do not find the PEM block in its files")
        if not all(_parses(one, in_go=in_go) for one in certificates):
            raise NotExportable("strict parsers reject the certificate or one of its CAs")
        opened, leaf = material.opened, certificates[0].certificate
        if opened is None or opened.pkcs8 is None or leaf is None or opened.unsound:
            raise NotExportable("strict parsers reject its key")
        key = load_private(opened.pkcs8)
        kind = kind_of(key)
        if not (kind.size >= least_rsa if kind.family == "rsa" else kind.name in kinds):
            raise NotExportable(f"keys of kind {kind.name} are not supported")
        if in_go and isinstance(key, RSAPrivateKey):
            numbers = key.private_numbers()
            # FIPS 186-5, A.1.3
            if abs(numbers.p - numbers.q).bit_length() <= kind.size // 2 - 100:
                raise NotExportable("Go rejects RSA primes that are close together")
            if numbers.public_numbers.e < 2:
                raise NotExportable("Go rejects the RSA exponent 1")
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if public != leaf.subject_public_key_info or leaf.public_key.exponent >= _LARGE_EXPONENT:
            raise NotExportable("strict parsers reject its public key")

    return loads


def _go_reads(extension: Extension[Any]) -> bool:
    """Return whether Go reads an extension; since Go 1.24 it rejects what RFC 5280 (4.2) forbids in these."""
    if extension.oid in _NEVER_CRITICAL:
        return not extension.critical
    if isinstance(extension.value, CertificatePolicies):
        policies = [policy.policy_identifier for policy in extension.value]
        return len(policies) == len(set(policies))
    if isinstance(extension.value, SubjectAlternativeName):
        addresses = extension.value.get_values_for_type(IPAddress)
        return all(isinstance(one, IPv4Address | IPv6Address) for one in addresses)
    if isinstance(extension.value, CRLDistributionPoints):
        return all(point.relative_name is None for point in extension.value)
    return True


def _parses(artifact: Artifact, *, in_go: bool) -> bool:
    try:
        with warnings.catch_warnings(action="error"), panics_as_errors():
            extensions = load_der_x509_certificate(artifact.der).extensions
        if in_go and not all(map(_go_reads, extensions)):
            return False
        if artifact.certificate is None or not artifact.certificate.algorithms_agree:
            return False
        both = (*artifact.certificate.subject, *artifact.certificate.issuer)
        if in_go and any(one.tag == der.UNIVERSAL_STRING for rdn in both for one in rdn):
            return False
        names = artifact.certificate.extensions.alternative_names or ()
        return not any(one.kind == "dns" and one.value.startswith("#") for one in names)  # not ASCII
    except (ValueError, TypeError, *_REFUSALS, Malformed, Warning):
        return False
