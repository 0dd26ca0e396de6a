"""The key identifiers (RFC 5280, 4.2.1.1 and 4.2.1.2)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from hashlib import sha1
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.extension_values import EMPTY_SEQUENCE, put
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, not_applicable, pass_or_fail, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate
from pkigen.x509.decode import elements


@demand
class AuthorityKeyIdentifierDemand(Demand):
    """The content of the authority key identifier.

    ``key_identifier``: it contains a key identifier. ``matches_issuer``: this is the subject key identifier
    of the issuing CA. ``key_identifier_only``: it contains neither issuer nor serial number. ``length`` is
    the length of the key identifier in bytes.
    """

    kind: ClassVar[str] = "authority_key_identifier"
    field: ClassVar[str | None] = oids.AUTHORITY_KEY_IDENTIFIER

    key_identifier: bool = False
    matches_issuer: bool = False
    key_identifier_only: bool = False
    length: Annotated[int, Field(ge=1, le=64)] | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> AuthorityKeyIdentifierDemand:
        if not any(vars(self).values()):
            fields = ", ".join(type(self).model_fields)
            raise ValueError(f"no condition given; set at least one of {fields}")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check the extension; a missing extension violates another requirement."""
        identifier = certificate.extensions.authority_key_identifier
        if identifier is None:
            return not_applicable("there is no authority key identifier")
        key = identifier.key_identifier
        if self.key_identifier and key is None and not certificate.is_self_issued:
            return failed("no key identifier", "a key identifier")
        if self.key_identifier_only and (identifier.issuer or identifier.serial is not None):
            return failed("an issuer and a serial number", "a key identifier alone")
        if self.length is not None and key is not None and len(key) != self.length:
            return failed(f"{len(key)} bytes", f"{self.length} bytes")
        text = key.hex() if key else "no key identifier"
        if not self.matches_issuer or key is None:
            return passed(text)
        if not subject.path:
            return not_applicable("the issuing CA's certificate was not given")
        expected = subject.path[0].extensions.subject_key_identifier
        return pass_or_fail(key == expected, text, expected.hex() if expected else "no key identifier")

    def violations(self) -> Iterator[Violation]:
        """No key identifier; another one; an issuer and a serial number."""
        oid, other = oids.AUTHORITY_KEY_IDENTIFIER, der.tlv(0x80, bytes(20))
        if self.key_identifier:
            says = "The authority key identifier extension contains no key identifier."
            yield Violation("no-key-identifier", says, partial(put, oid=oid, value=EMPTY_SEQUENCE))
        if self.matches_issuer:
            says = "The authority key identifier is not the issuing CA's."
            yield Violation("mismatch", says, partial(put, oid=oid, value=der.sequence(other)), "path")
        if self.length is not None:
            says = f"The authority key identifier has {self.length + 1} bytes."
            value = der.sequence(der.tlv(0x80, bytes(self.length + 1)))
            yield Violation("length", says, partial(put, oid=oid, value=value), "path")
        if self.key_identifier_only:
            says = "The authority key identifier contains an issuer and a serial number."
            issuer = der.tlv(0xA1, der.tlv(0xA4, der.sequence()))
            value = der.sequence(issuer, der.tlv(0x82, b"\x01"))
            yield Violation("issuer", says, partial(put, oid=oid, value=value))


@demand
class SubjectKeyIdentifierDemand(Demand):
    """The content of the subject key identifier.

    ``length`` is its length in bytes. ``method_1``: it is the SHA-1 digest of the public key (RFC 5280,
    4.2.1.2).
    """

    kind: ClassVar[str] = "subject_key_identifier"
    field: ClassVar[str | None] = oids.SUBJECT_KEY_IDENTIFIER

    length: Annotated[int, Field(ge=1, le=64)] | None = None
    method_1: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> SubjectKeyIdentifierDemand:
        if not (self.length or self.method_1):
            raise ValueError("no condition given; set at least one of length, method_1")
        if self.method_1 and self.length not in (None, 20):
            raise ValueError(f"a SHA-1 digest has 20 bytes, not {self.length}")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check the length, then the digest of an issued certificate."""
        identifier = certificate.extensions.subject_key_identifier
        if identifier is None:
            return not_applicable("there is no subject key identifier")
        if self.length is not None and len(identifier) != self.length:
            return failed(f"{len(identifier)} bytes", f"{self.length} bytes")
        if self.method_1 and subject.issued:
            bits = der.contents(elements(certificate.subject_public_key_info, "the public key")[1])
            digest = sha1(bits[1:], usedforsecurity=False).digest()
            return pass_or_fail(identifier == digest, identifier.hex(), digest.hex())
        return passed(identifier.hex())

    def violations(self) -> Iterator[Violation]:
        """A byte more; 20 other bytes."""
        oid = oids.SUBJECT_KEY_IDENTIFIER
        if self.length is not None:
            says = f"The subject key identifier has {self.length + 1} bytes."
            change = partial(put, oid=oid, value=der.octet_string(bytes(self.length + 1)))
            yield Violation("length", says, change)
        if self.method_1:
            says = "The subject key identifier is not the SHA-1 digest of the key."
            yield Violation("other", says, partial(put, oid=oid, value=der.octet_string(bytes(20))))
