"""The certification request (PKCS#10, RFC 2986) that a certificate is issued for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.asn1 import oids
from pkigen.documents.fields import Parsed, parse_oid, unknown
from pkigen.formats import pem
from pkigen.keys.verify import Verdict, verdict
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import CertificationRequest

_CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105  an OID
_ATTRIBUTES = {
    "challengePassword": _CHALLENGE_PASSWORD,
    "unstructuredName": "1.2.840.113549.1.9.2",
    "unstructuredAddress": "1.2.840.113549.1.9.8",
}
_ATTRIBUTE_NAMES = {oid: name for name, oid in _ATTRIBUTES.items()}
_EXTENSIONS = {title.lower().replace(" ", "_"): oid for oid, title in oids.TITLES.items()}


def _parse_attribute(text: str) -> str:
    if text in _ATTRIBUTES:
        return _ATTRIBUTES[text]
    try:
        return parse_oid(text)
    except ValueError:
        raise ValueError(unknown("attribute of a request", text, tuple(_ATTRIBUTES))) from None


def _parse_extension(text: str) -> str:
    return _EXTENSIONS.get(text) or parse_oid(text)


Attribute = Annotated[str, Parsed(_parse_attribute, "challengePassword, unstructuredName, or an OID")]
ExtensionName = Annotated[str, Parsed(_parse_extension, "a title such as key_usage, or an OID")]


@demand
class CertificationRequestDemand(Demand):
    """The certification request: its attributes, the extensions that it requests, signature and size.

    ``signed``: it is signed with its own key. ``attributes`` and ``extensions`` must exist,
    ``forbidden_attributes`` must not. ``maximum_bytes`` is the size in DER, ``maximum_characters`` that in
    PEM.
    """

    kind: ClassVar[str] = "certification_request"
    field: ClassVar[str | None] = None
    of_requests: ClassVar[bool] = True

    signed: bool = False
    attributes: tuple[Attribute, ...] = ()
    forbidden_attributes: tuple[Attribute, ...] = ()
    extensions: tuple[ExtensionName, ...] = ()
    maximum_bytes: Annotated[int, Field(ge=1)] | None = None
    maximum_characters: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> CertificationRequestDemand:
        if not any(value for _, value in self):
            fields = ", ".join(type(self).model_fields)
            raise ValueError(f"no condition given; set at least one of {fields}")
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Check the request; a certificate without its request satisfies every condition."""
        if subject.request is None:
            return not_applicable("there is no certification request")
        for actual, expected in self._defects(subject.request):
            return failed(actual, expected)
        return passed("a certification request")

    def _defects(self, request: CertificationRequest) -> Iterator[tuple[str, str]]:
        if self.signed and verdict(request, request.subject_public_key_info) is Verdict.BAD:
            yield "a signature by another key", "a signature with its own key"
        has = {oid for oid, _ in request.other_attributes}
        for oid in self.attributes:
            if oid not in has:
                name = _ATTRIBUTE_NAMES.get(oid, oid)
                yield f"no attribute {name}", f"the attribute {name}"
        for oid in self.forbidden_attributes:
            if oid in has:
                name = _ATTRIBUTE_NAMES.get(oid, oid)
                yield f"the attribute {name}", f"no attribute {name}"
        for oid in self.extensions:
            if request.extensions.raw(oid) is None:
                title = oids.TITLES.get(oid, oid)
                yield f"no requested extension {title}", f"the requested extension {title}"
        size, most = len(request.der), self.maximum_bytes
        if most is not None and size > most:
            yield f"{size} bytes in DER", f"at most {most} bytes"
        characters, most = len(pem.encode("CERTIFICATE REQUEST", request.der)), self.maximum_characters
        if most is not None and characters > most:
            yield f"{characters} characters in PEM", f"at most {most} characters"

    def violations(self) -> Iterator[Violation]:
        """None: a negative case is a certificate, and a certificate does not contain its request."""
        return iter(())
