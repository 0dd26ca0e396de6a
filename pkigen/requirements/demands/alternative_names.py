"""Subject alternative names (RFC 5280, 4.2.1.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pkigen.asn1 import der, oids
from pkigen.asn1.names import COMMON_NAME, values
from pkigen.cases.case import Case
from pkigen.cases.general_names import beside, dns
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
from pkigen.x509 import GeneralName

GeneralNameKind = Literal["dns", "ip", "email", "uri", "upn", "rid", "dirname"]


@demand
class AlternativeNames(Demand):
    """There, covering the common name, of certain kinds, each written as its kind wants it."""

    kind: ClassVar[str] = "san"
    field: ClassVar[str | None] = oids.SUBJECT_ALTERNATIVE_NAME
    of_requests: ClassVar[bool] = True
    blame: ClassVar[tuple[str, ...]] = ("san",)

    required: bool = False
    covers_cn: bool = False
    not_empty: bool = False
    syntax: bool = False
    kinds: tuple[GeneralNameKind, ...] = ()

    def check(self, subject: CheckInput) -> Outcome:
        """Presence first; what is missing breaks nothing else."""
        if subject.certificate is None:
            return not_applicable("there is no certificate")
        names = subject.certificate.extensions.alternative_names
        if names is None and subject.requested:
            return not_applicable("the request asks for none; the CA may add it")
        if names is None:
            wanted = f"one of kind {' or '.join(self.kinds)}" if self.kinds else "a name"
            return (
                failed("no subject alternative name", wanted)
                if self.required
                else not_applicable("it has no subject alternative name")
            )
        found = ", ".join(map(str, names)) or "an empty list"
        if self.not_empty and not names:
            return failed(found, "at least one name")
        if self.syntax and (wrong := [str(name) for name in names if not _is_well_formed(name)]):
            return failed(", ".join(wrong), "DNS names in the preferred syntax, addresses and URIs in full")
        if self.kinds and not any(name.kind in self.kinds for name in names):
            return failed(found, f"one of kind {' or '.join(self.kinds)}")
        if self.covers_cn:
            common = filter(None, values(subject.certificate.subject, COMMON_NAME))
            covered = {name.value.lower() for name in names}
            missing = [value for value in common if value.lower() not in covered]
            return pass_or_fail(not missing, found, f"the common name {', '.join(missing) or 'too'}")
        return passed(found)

    def violations(self) -> Iterator[Violation]:
        """Missing; empty; of another kind; with a name that is none; without the common name."""
        if self.required:
            words = "It has no subject alternative name."
            oid = oids.SUBJECT_ALTERNATIVE_NAME
            yield Violation("missing", words, lambda case: case.without_extension(oid))
        if self.not_empty:
            yield Violation("empty", "Its list of alternative names is empty.", _with_names)
        if self.kinds:
            other = der.tlv(0x88, der.contents(der.oid("1.2.3.4")))
            words = "Its alternative names are of another kind."
            yield Violation("kind", words, lambda case: _with_names(case, other))
        if self.syntax:
            words = "One of its DNS names has an underscore."
            yield Violation("syntax", words, lambda case: beside(case, dns("bad_name.contoso.test")))
        if self.covers_cn:
            words = "Its alternative names leave its common name out."
            yield Violation("without-cn", words, lambda case: _with_names(case, der.tlv(0x82, b"other.test")))


_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_LONGEST_DNS_NAME = 253


def _is_well_formed(name: GeneralName) -> bool:
    """Whether a name is written as its kind wants it: letters, digits, hyphens (RFC 5280, 4.2.1.6)."""
    match name.kind:
        case "dns":
            labels = name.value.removeprefix("*.").split(".")
            short = len(name.value) <= _LONGEST_DNS_NAME
            return short and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
        case "email":
            local, at, domain = name.value.rpartition("@")
            return bool(at and local and "@" not in local and all(map(_LABEL.fullmatch, domain.split("."))))
        case "uri":
            return re.match(r"[a-z][a-z0-9+.-]*:.", name.value, re.IGNORECASE) is not None
    return True


def _with_names(case: Case, *names: bytes) -> Case:
    value = der.sequence(*names)
    return case.with_extension(Extension(oids.SUBJECT_ALTERNATIVE_NAME, False, value))
