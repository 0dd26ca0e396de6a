"""Parses a Certificate (RFC 5280, 4.1)."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from functools import cached_property
from hashlib import new

from pkigen.asn1 import der
from pkigen.model import Name
from pkigen.x509 import decode
from pkigen.x509.algorithms import AlgorithmIdentifier, algorithm_identifier
from pkigen.x509.decode import Malformed, decoder, elements
from pkigen.x509.extensions import Extensions, extensions
from pkigen.x509.public_key import PublicKey, public_key

_WITH_EXTENSIONS = 3
_SERIAL, _SIGNATURE, _ISSUER, _VALIDITY, _SUBJECT, _SPKI, _REST = range(7)


class Certificate:
    """A certificate; Malformed if the outer structure is wrong. Each field is decoded on access."""

    @decoder("the certificate")
    def __init__(self, data: bytes) -> None:
        self.der = data
        self.tbs, self._algorithm, self._signature = elements(data, "the certificate")
        fields = elements(self.tbs, "the TBSCertificate")
        self._version = fields.pop(0) if fields[0][0] == 0xA0 else None
        if len(fields) < _REST:
            raise Malformed("the TBSCertificate has too few elements")
        self._fields = fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    @cached_property
    def version(self) -> int:
        """The version: 1, 2 or 3, or the invalid number in the field, plus one."""
        if self._version is None:
            return 1
        return decode.integer(der.contents(self._version), "the version") + 1

    @property
    def serial_bytes(self) -> bytes:
        """The encoded serial number (contents of the INTEGER)."""
        return decode.expect(self._fields[_SERIAL], der.INTEGER, "the serial number")

    @cached_property
    def serial(self) -> int:
        """The serial number."""
        return decode.integer(self._fields[_SERIAL], "the serial number")

    @cached_property
    def signature_algorithm(self) -> AlgorithmIdentifier:
        """The algorithm in the outer, unsigned field (4.1.1.2)."""
        return algorithm_identifier(self._algorithm)

    @property
    def signed_algorithm(self) -> AlgorithmIdentifier:
        """The algorithm in the signed part (4.1.2.3)."""
        return algorithm_identifier(self._fields[_SIGNATURE])

    @property
    def algorithms_agree(self) -> bool:
        """Whether the signed and the outer algorithm have the same encoding (4.1.1.2)."""
        return self._fields[_SIGNATURE] == self._algorithm

    @property
    def signature(self) -> bytes:
        """The signature value."""
        return decode.whole_bytes(self._signature, "the signature")

    @cached_property
    def issuer(self) -> Name:
        """The issuer's name."""
        return decode.decoder("the issuer")(decode.name)(self._fields[_ISSUER], "the issuer")

    @property
    def issuer_der(self) -> bytes:
        """The DER of the issuer's name."""
        return self._fields[_ISSUER]

    @cached_property
    def subject(self) -> Name:
        """The subject's name."""
        return decode.decoder("the subject")(decode.name)(self._fields[_SUBJECT], "the subject")

    @property
    def subject_der(self) -> bytes:
        """The DER of the subject's name."""
        return self._fields[_SUBJECT]

    @cached_property
    def normalized_issuer(self) -> Hashable:
        """The issuer in the form that is compared (RFC 5280, 7.1); the DER if it cannot be decoded."""
        return decode.normalized_name(self.issuer_der)

    @cached_property
    def normalized_subject(self) -> Hashable:
        """The subject in the form that is compared (RFC 5280, 7.1); the DER if it cannot be decoded."""
        return decode.normalized_name(self.subject_der)

    @cached_property
    def is_self_issued(self) -> bool:
        """Whether issuer and subject are the same name (RFC 5280, 7.1)."""
        return self.issuer_der == self.subject_der or self.normalized_issuer == self.normalized_subject

    @cached_property
    def times(self) -> tuple[bytes, bytes]:
        """The TLVs of notBefore and notAfter."""
        times = elements(self._fields[_VALIDITY], "the validity")
        if len(times) != 2:
            raise Malformed(f"the validity has {len(times)} elements")
        return times[0], times[1]

    @cached_property
    def not_before(self) -> datetime:
        """The first second of the validity period, in UTC."""
        return _time(self.times[0], "not_before")

    @cached_property
    def not_after(self) -> datetime:
        """The last second of the validity period, in UTC."""
        return _time(self.times[1], "not_after")

    @property
    def subject_public_key_info(self) -> bytes:
        """The DER of the SubjectPublicKeyInfo."""
        return self._fields[_SPKI]

    @property
    def public_key_algorithm(self) -> AlgorithmIdentifier:
        """The algorithm of the SubjectPublicKeyInfo."""
        return algorithm_identifier(elements(self._fields[_SPKI], "the public key")[0])

    @cached_property
    def public_key(self) -> PublicKey:
        """The public key."""
        return public_key(self._fields[_SPKI])

    @cached_property
    def has_unique_identifiers(self) -> bool:
        """Whether the certificate has an issuer or subject unique identifier (4.1.2.8)."""
        return any(field[0] in (0x81, 0x82, 0xA1, 0xA2) for field in self._fields[_REST:])

    @property
    def has_extensions(self) -> bool:
        """Whether the extensions field is present, even if it cannot be decoded (4.1.2.9)."""
        return any(field[0] == 0xA3 for field in self._fields[_REST:])

    @cached_property
    def extensions(self) -> Extensions:
        """The extensions; empty if the field is absent."""
        for field in self._fields[_REST:]:
            if field[0] == 0xA3:
                return extensions(der.contents(field))
        return Extensions()

    @cached_property
    def is_authority(self) -> bool:
        """Whether the basic constraints state a CA, or a certificate before version 3 is self-issued."""
        try:
            constraints = self.extensions.basic_constraints
            if constraints is not None:
                return constraints.ca
            return self.version != _WITH_EXTENSIONS and self.is_self_issued
        except Malformed:
            return False

    def fingerprint(self, digest: str = "sha256") -> bytes:
        """Return a digest of the DER."""
        return new(digest, self.der, usedforsecurity=False).digest()


@decoder("the time")
def _time(data: bytes, what: str) -> datetime:
    return decode.time(data, what)
