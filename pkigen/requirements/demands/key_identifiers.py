"""The key identifiers (RFC 5280, 4.2.1.1 and 4.2.1.2)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from pydantic import model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.extension_values import EMPTY_SEQUENCE, put
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, not_applicable, pass_or_fail, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate


@demand
class AuthorityKeyIdentifierDemand(Demand):
    """The content of the authority key identifier.

    ``key_identifier``: it contains a key identifier. ``matches_issuer``: this is the subject key identifier
    of the issuing CA. ``key_identifier_only``: it contains neither issuer nor serial number.
    """

    kind: ClassVar[str] = "authority_key_identifier"
    field: ClassVar[str | None] = oids.AUTHORITY_KEY_IDENTIFIER

    key_identifier: bool = False
    matches_issuer: bool = False
    key_identifier_only: bool = False

    @model_validator(mode="after")
    def _has_a_condition(self) -> AuthorityKeyIdentifierDemand:
        if not (self.key_identifier or self.matches_issuer or self.key_identifier_only):
            fields = "key_identifier, matches_issuer, key_identifier_only"
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
        if self.key_identifier_only:
            says = "The authority key identifier contains an issuer and a serial number."
            issuer = der.tlv(0xA1, der.tlv(0xA4, der.sequence()))
            value = der.sequence(issuer, der.tlv(0x82, b"\x01"))
            yield Violation("issuer", says, partial(put, oid=oid, value=value))
