"""Certificate (RFC 5280, 4.1)."""

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
    """A certificate; Malformed at once when not even its outline is one, else where it is looked at."""

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
        """1, 2 or 3, as people count; other numbers when it says so."""
        if self._version is None:
            return 1
        return decode.integer(der.contents(self._version), "the version") + 1

    @property
    def serial_octets(self) -> bytes:
        """The contents octets of the serial number."""
        return decode.expect(self._fields[_SERIAL], der.INTEGER, "the serial number")

    @cached_property
    def serial(self) -> int:
        """The serial number."""
        return decode.integer(self._fields[_SERIAL], "the serial number")

    @cached_property
    def signature_algorithm(self) -> AlgorithmIdentifier:
        """The algorithm as the outer, unsigned field names it (4.1.1.2)."""
        return algorithm_identifier(self._algorithm)

    @property
    def signed_algorithm(self) -> AlgorithmIdentifier:
        """The algorithm that the signed part contains (4.1.2.3)."""
        return algorithm_identifier(self._fields[_SIGNATURE])

    @property
    def algorithms_agree(self) -> bool:
        """Whether the signed and the outer algorithm are the same octets (4.1.1.2)."""
        return self._fields[_SIGNATURE] == self._algorithm

    @property
    def signature(self) -> bytes:
        """The signature's octets."""
        return decode.whole_octets(self._signature, "the signature")

    @cached_property
    def issuer(self) -> Name:
        """The issuer's name."""
        return decode.decoder("the issuer")(decode.name)(self._fields[_ISSUER], "the issuer")

    @property
    def issuer_der(self) -> bytes:
        """The issuer's name as it stands."""
        return self._fields[_ISSUER]

    @cached_property
    def subject(self) -> Name:
        """The subject's name."""
        return decode.decoder("the subject")(decode.name)(self._fields[_SUBJECT], "the subject")

    @property
    def subject_der(self) -> bytes:
        """The subject's name as it stands."""
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
        """not_before and not_after as TLVs."""
        found = elements(self._fields[_VALIDITY], "the validity")
        if len(found) != 2:
            raise Malformed(f"the validity has {len(found)} elements")
        return found[0], found[1]

    @cached_property
    def not_before(self) -> datetime:
        """The first second of the validity, in UTC."""
        return _time(self.times[0], "not_before")

    @cached_property
    def not_after(self) -> datetime:
        """The last second of the validity, in UTC."""
        return _time(self.times[1], "not_after")

    @property
    def subject_public_key_info(self) -> bytes:
        """The SubjectPublicKeyInfo as it stands."""
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
        """Whether there is an issuer's or a subject's unique identifier (4.1.2.8)."""
        return any(field[0] in (0x81, 0x82, 0xA1, 0xA2) for field in self._fields[_REST:])

    @property
    def has_extensions(self) -> bool:
        """Whether the field is there, even if it cannot be read (4.1.2.9)."""
        return any(field[0] == 0xA3 for field in self._fields[_REST:])

    @cached_property
    def extensions(self) -> Extensions:
        """The extensions; none is an empty tuple."""
        for field in self._fields[_REST:]:
            if field[0] == 0xA3:
                return extensions(der.contents(field))
        return Extensions()

    @cached_property
    def is_authority(self) -> bool:
        """Whether basic constraints call it a CA; before version 3, being self-issued is the only sign."""
        try:
            constraints = self.extensions.basic_constraints
            if constraints is not None:
                return constraints.ca
            return self.version != _WITH_EXTENSIONS and self.is_self_issued
        except Malformed:
            return False

    def fingerprint(self, digest: str = "sha256") -> bytes:
        """The digest of the DER."""
        return new(digest, self.der, usedforsecurity=False).digest()


@decoder("the time")
def _time(data: bytes, what: str) -> datetime:
    return decode.time(data, what)
