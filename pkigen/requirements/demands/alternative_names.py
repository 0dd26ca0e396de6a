"""Subject and issuer alternative names (RFC 5280, 4.2.1.6 and 4.2.1.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal

from pkigen.asn1 import der, oids
from pkigen.asn1.names import ATTRIBUTE_TYPES, COMMON_NAME, values
from pkigen.cases.case import Case
from pkigen.cases.general_names import dns
from pkigen.model import Extension
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.name_syntax import is_well_formed
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate, GeneralName

GeneralNameKind = Literal["dns", "ip", "email", "uri", "upn", "rid", "dirname"]
_EMAIL_ADDRESS = ATTRIBUTE_TYPES["emailAddress"][0]


@demand
class IssuerAlternativeNames(Demand):
    """The issuer alternative names: present, not empty, of certain kinds, with the syntax of their kind."""

    kind: ClassVar[str] = "ian"
    field: ClassVar[str | None] = oids.ISSUER_ALTERNATIVE_NAME
    title: ClassVar[str] = oids.TITLES[oids.ISSUER_ALTERNATIVE_NAME]

    required: bool = False
    not_empty: bool = False
    syntax: bool = False
    kinds: tuple[GeneralNameKind, ...] = ()

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check presence first; a missing extension violates only ``required``."""
        assert self.field is not None
        names = certificate.extensions.general_names(self.field)
        if names is None and subject.requested:
            return not_applicable("the request contains none; the CA may add some")
        expected = f"a name of the kind {' or '.join(self.kinds)}" if self.kinds else "a name"
        if names is None:
            missing = failed(f"no {self.title}", expected)
            return missing if self.required else not_applicable(f"there is no {self.title}")
        text = ", ".join(map(str, names)) or "an empty list"
        if self.not_empty and not names:
            return failed(text, "at least one name")
        if self.syntax and (invalid := [str(name) for name in names if not is_well_formed(name)]):
            return failed(", ".join(invalid), "DNS names in the preferred syntax, full addresses and URIs")
        if self.kinds and not any(name.kind in self.kinds for name in names):
            return failed(text, expected)
        missing_names = [name for name in self._expected(certificate) if name.lower() not in _texts(names)]
        return failed(text, ", ".join(missing_names)) if missing_names else passed(text)

    def _expected(self, certificate: Certificate) -> Iterator[str]:
        """Yield the names that must be among the alternative names."""
        yield from ()

    def violations(self) -> Iterator[Violation]:
        """Missing, empty, another kind, an invalid name."""
        assert self.field is not None
        oid, title = self.field, self.title
        if self.required:
            says = f"The certificate has no {title}."
            yield Violation("missing", says, lambda case: case.without_extension(oid))
        if self.not_empty:
            says = f"The {title} extension is an empty list."
            yield Violation("empty", says, lambda case: _with_names(case, oid))
        if self.kinds:
            other = der.tlv(0x88, der.contents(der.oid("1.2.3.4")))
            says = f"The {title} extension contains only names of another kind."
            yield Violation("kind", says, lambda case: _with_names(case, oid, other))
        if self.syntax:
            invalid = dns("bad_name.contoso.test")
            says = f"A DNS name in the {title} extension has an underscore."
            yield Violation("syntax", says, lambda case: _with_names(case, oid, *_names(case, oid), invalid))


@demand
class AlternativeNames(IssuerAlternativeNames):
    """The subject alternative names, also compared with the subject.

    ``covers_cn`` and ``covers_email``: they contain each common name or email address of the subject.
    """

    kind: ClassVar[str] = "san"
    field: ClassVar[str | None] = oids.SUBJECT_ALTERNATIVE_NAME
    title: ClassVar[str] = oids.TITLES[oids.SUBJECT_ALTERNATIVE_NAME]
    of_requests: ClassVar[bool] = True
    blame: ClassVar[tuple[str, ...]] = ("san",)

    covers_cn: bool = False
    covers_email: bool = False

    def _expected(self, certificate: Certificate) -> Iterator[str]:
        if self.covers_cn:
            yield from filter(None, values(certificate.subject, COMMON_NAME))
        if self.covers_email:
            yield from filter(None, values(certificate.subject, _EMAIL_ADDRESS))

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """A subject with an email address needs the extension for ``covers_email`` (4.1.2.6)."""
        addresses = values(certificate.subject, _EMAIL_ADDRESS) if self.covers_email else ()
        if addresses and certificate.extensions.raw(oids.SUBJECT_ALTERNATIVE_NAME) is None:
            return failed(f"no {self.title}", ", ".join(addresses))
        if not addresses and self.model_fields_set == {"covers_email"}:
            return not_applicable("the subject has no email address")
        return super().check_certificate(certificate, subject)

    def violations(self) -> Iterator[Violation]:
        """Further: without the common name; without the email address."""
        yield from super().violations()
        oid = oids.SUBJECT_ALTERNATIVE_NAME
        if self.covers_cn:
            says = "The subject alternative names do not contain the common name."
            yield Violation("without-cn", says, lambda case: _with_names(case, oid, dns("other.test")))
        if self.covers_email:
            says = "The subject has an email address that is not one of the alternative names."
            change = lambda case: case.with_attribute("emailAddress", "a@contoso.test")  # noqa: E731
            yield Violation("without-email", says, change)


def _texts(names: tuple[GeneralName, ...]) -> set[str]:
    return {name.value.lower() for name in names}


def _names(case: Case, oid: str) -> list[bytes]:
    extension = case.extension(oid)
    return der.children(extension.value) if extension and isinstance(extension.value, bytes) else []


def _with_names(case: Case, oid: str, *names: bytes) -> Case:
    extension = case.extension(oid) or Extension(oid, False, b"")
    return case.with_extension(replace(extension, value=der.sequence(*names)))
