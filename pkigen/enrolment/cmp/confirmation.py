"""Confirmation of certificates by the client (certConf; RFC 9810, 5.3.18)."""

from __future__ import annotations

import hashlib

from pkigen.asn1 import oids
from pkigen.enrolment.cmp.messages import Failed, Failure, Status
from pkigen.enrolment.cmp.structures import CertStatus
from pkigen.enrolment.decode import Undecodable, decode_each, dotted
from pkigen.environment.enrol import Enrolled
from pkigen.x509 import Certificate

_OF_PURE = {"Ed25519": "sha512", "Ed448": "sha512"}


def check_confirmation(content: bytes, request_id: int, enrolled: Enrolled) -> bool:
    """Return whether the client accepts a certificate; Failed if the message is about another one."""
    statuses = decode_each(CertStatus, content)
    if not statuses:
        return False
    if len(statuses) != 1 or statuses[0].request_id != request_id:
        raise Failed(Failure.BAD_REQUEST, "certConf does not confirm the certificate of the transaction")
    (status,) = statuses
    if status.certificate_hash != hashlib.new(_digest(status, enrolled), enrolled.certificate).digest():
        raise Failed(Failure.BAD_CERT_ID, "certHash is not the hash of the issued certificate")
    return status.status is None or status.status.status in (Status.ACCEPTED, Status.GRANTED_WITH_MODS)


def _digest(status: CertStatus, enrolled: Enrolled) -> str:
    """Return the digest of certHash: the given one, or that of the certificate's signature."""
    if status.hash_algorithm is None:
        algorithm = Certificate(enrolled.certificate).signature_algorithm
        return algorithm.digest or _OF_PURE.get(algorithm.name, "sha256")
    if not status.hash_algorithm:
        raise Undecodable("an AlgorithmIdentifier is empty")
    digest = oids.DIGESTS.get(dotted(status.hash_algorithm[0]))
    if digest is None:
        raise Failed(Failure.BAD_ALG, "the hash algorithm of certHash is not SHA-1 or SHA-2")
    return digest
