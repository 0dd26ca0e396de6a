"""Authority information access (RFC 5280, 4.2.2.1): the URLs of OCSP and of the issuer's certificate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.cases.extension_values import put, value_of
from pkigen.cases.urls import with_urls
from pkigen.model import Extension
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import (
    Outcome,
    failed,
    not_applicable,
    pass_or_fail,
    passed,
)
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate

Method = Literal["ocsp", "ca_issuers"]
_OIDS = {"ocsp": oids.OCSP_ACCESS, "ca_issuers": oids.CA_ISSUERS_ACCESS}


@demand
class AuthorityInformationAccess(Demand):
    """The authority information access: with certain methods, URLs with certain schemes, not critical."""

    kind: ClassVar[str] = "aia"
    field: ClassVar[str | None] = oids.AUTHORITY_INFORMATION_ACCESS
    blame: ClassVar[tuple[str, ...]] = ("aia",)

    required: tuple[Method, ...] = ()
    forbidden: tuple[Method, ...] = ()
    schemes: tuple[Literal["http", "https", "ldap"], ...] = ()
    not_critical: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> AuthorityInformationAccess:
        if both := [method for method in self.required if method in self.forbidden]:
            raise ValueError(f"{both[0]} cannot be required and forbidden")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check each required method, the criticality, then the scheme of each URL."""
        extension = certificate.extensions.raw(oids.AUTHORITY_INFORMATION_ACCESS)
        descriptions = certificate.extensions.authority_information_access or ()
        if extension is None and not self.required:
            if self.forbidden:
                return passed("no authority information access")
            return not_applicable("there is no authority information access")
        text = ", ".join(name.value for _, name in descriptions) or "none"
        for method in self.required:
            if all(oid != _OIDS[method] for oid, _ in descriptions):
                return failed(text, f"a URL for {method}")
        for method in self.forbidden:
            if any(oid == _OIDS[method] for oid, _ in descriptions):
                return failed(text, f"no URL for {method}")
        if self.not_critical and extension is not None and extension.critical:
            return failed("critical", "not critical")
        urls = [name.value for _, name in descriptions if name.kind == "uri"]
        holds = not self.schemes or all(urlsplit(url).scheme.lower() in self.schemes for url in urls)
        return pass_or_fail(holds, text, f"URLs with {' or '.join(self.schemes)}" if self.schemes else "")

    def violations(self) -> Iterator[Violation]:
        """Missing, with another scheme, critical."""
        oid = oids.AUTHORITY_INFORMATION_ACCESS
        if self.required:
            words = "The certificate has no authority information access."
            yield Violation("missing", words, lambda case: case.without_extension(oid))
        for method in self.forbidden:
            says = f"The authority information access has a URL for {method}."
            yield Violation(method.replace("_", "-"), says, partial(_with_method, method))
        if self.schemes and "ldap" not in self.schemes:
            yield Violation("ldap", "The authority information access contains ldap URLs.", _with_ldap_urls)
        if self.not_critical:
            words = "The authority information access is critical."
            yield Violation(
                "critical", words, lambda case: case.with_extension(replace(_extension(case), critical=True))
            )


def _with_method(method: Method, case: Case) -> Case:
    """Add a URL of a method."""
    url = der.sequence(der.oid(_OIDS[method]), der.tlv(0x86, b"http://127.0.0.1/access"))
    extension = case.extension(oids.AUTHORITY_INFORMATION_ACCESS)
    if extension is None:
        return put(case, oids.AUTHORITY_INFORMATION_ACCESS, der.sequence(url))
    descriptions = der.children(value_of(case, oids.AUTHORITY_INFORMATION_ACCESS))
    return case.with_extension(replace(extension, value=der.sequence(*descriptions, url)))


def _extension(case: Case) -> Extension:
    """Return the extension of the case, or a new one with the URL of the issuer's certificate."""
    extension = case.extension(oids.AUTHORITY_INFORMATION_ACCESS)
    if extension is not None:
        return extension
    issuer_url = case.authorities[0].ca_url if case.authorities else None
    url = der.tlv(0x86, (issuer_url or "http://127.0.0.1/ca.crt").encode())
    value = der.sequence(der.sequence(der.oid(oids.CA_ISSUERS_ACCESS), url))
    return Extension(oids.AUTHORITY_INFORMATION_ACCESS, False, value)


def _with_ldap_urls(case: Case) -> Case:
    extension = _extension(case)
    assert isinstance(extension.value, bytes)
    value = with_urls(extension.value, lambda url: f"ldap://{url.partition('://')[2]}")
    return case.with_extension(replace(extension, value=value))
