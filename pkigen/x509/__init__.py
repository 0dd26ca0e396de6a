"""Parses certificates, CRLs and requests from any source, without validating them (RFC 5280).

Each field is decoded on access, so that a certificate with one malformed extension still has a subject. A
field that cannot be decoded raises Malformed, a ValueError.
"""

from pkigen.x509.algorithms import AlgorithmIdentifier
from pkigen.x509.certificate import Certificate
from pkigen.x509.crl import CertificateList, RevokedEntry
from pkigen.x509.decode import Malformed
from pkigen.x509.extensions import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    DistributionPoint,
    Extensions,
    IssuingDistributionPoint,
    RawExtension,
)
from pkigen.x509.general_names import GeneralName
from pkigen.x509.public_key import PublicKey
from pkigen.x509.request import CertificationRequest

__all__ = [
    "AlgorithmIdentifier",
    "AuthorityKeyIdentifier",
    "BasicConstraints",
    "Certificate",
    "CertificateList",
    "CertificationRequest",
    "DistributionPoint",
    "Extensions",
    "GeneralName",
    "IssuingDistributionPoint",
    "Malformed",
    "PublicKey",
    "RawExtension",
    "RevokedEntry",
]
