"""Reads the signed messages of NIST's PKITS data, which contain the certificates and CRLs of each test."""

from __future__ import annotations

import email
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cryptography_vectors

from pkigen.inspection.artifacts import read
from pkigen.x509 import Certificate, CertificateList

_WRONG_MESSAGE = "Valid onlySomeReasons Test18"
"""Its signed message contains the certificates of test 19."""
_FILES = (
    *("certs/ValidonlySomeReasonsTest18EE.crt", "certs/onlySomeReasonsCA3Cert.crt"),
    *("crls/onlySomeReasonsCA3compromiseCRL.crl", "crls/onlySomeReasonsCA3otherreasonsCRL.crl"),
    "crls/TrustAnchorRootCRL.crl",
)
DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"


@dataclass(frozen=True)
class Message:
    """The signer's certificate, the other certificates, and the CRLs of a signed message."""

    leaf: Certificate
    others: tuple[Certificate, ...]
    crls: tuple[CertificateList, ...]


@cache
def anchor() -> Certificate:
    """Return PKITS's trust anchor."""
    (artifact,) = read((DATA / "certs" / "TrustAnchorRootCertificate.crt").read_bytes(), "anchor")
    assert artifact.certificate is not None
    return artifact.certificate


def _signature(title: str) -> bytes:
    """Return the SignedData of a message."""
    path = DATA / "smime" / f"Signed{title.replace(' ', '').replace('-', '')}.eml"
    parts = email.message_from_bytes(path.read_bytes()).walk()
    signature = next(part for part in parts if part.get_content_type() == "application/pkcs7-signature")
    data = signature.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


@cache
def _leaves() -> frozenset[bytes]:
    return frozenset(path.read_bytes() for path in (DATA / "certs").glob("*EE.crt"))


def read_message(title: str) -> Message:
    """Return the message of a test, which is named after the title of the test."""
    files = _FILES if title == _WRONG_MESSAGE else ()
    artifacts = [one for file in files for one in read((DATA / file).read_bytes(), file)]
    artifacts = artifacts or list(read(_signature(title), title))
    certificates = [artifact.certificate for artifact in artifacts if artifact.certificate is not None]
    crls = tuple(artifact.crl for artifact in artifacts if artifact.crl is not None)
    assert len(certificates) + len(crls) == len(artifacts)
    (leaf,) = (one for one in certificates if one.der in _leaves())
    return Message(leaf, tuple(one for one in certificates if one != leaf), crls)
