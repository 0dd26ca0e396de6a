"""The form and the entries of the CRL that the issuing CA publishes (RFC 5280, 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.clock import Span
from pkigen.model import CrlPlan, Edit, EditOp, Entity, Extension, Signature
from pkigen.requirements.demand import Demand, Needs, Violation, demand
from pkigen.requirements.demands.signature import other_outer_algorithm
from pkigen.requirements.demands.validity import Length, period
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed, undecided
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import CertificateList
from pkigen.x509.algorithms import lacks_null

_REASONS = (0, 1, 2, 3, 4, 5, 6, 8, 9, 10)
_UNUSED_REASON = 7
_PADDING = "1.3.6.1.4.1.55738.99.3"
_LARGEST = 200_000
_LONGEST = 100 * 366 * 86400


@dataclass(frozen=True, slots=True)
class _Part:
    """One condition: the text of a violation, of the condition, the check, the edits that violate it."""

    problem: str
    expected: str
    holds: Callable[[CertificateList], bool]
    edits: Callable[[Case], tuple[Edit, ...]]


def _removed(*path: int) -> Callable[[Case], tuple[Edit, ...]]:
    return lambda case: (Edit(path, EditOp.REMOVE),)


def _other_algorithm(case: Case) -> tuple[Edit, ...]:
    return (other_outer_algorithm(case.authorities[0].key, Signature()),)


def _without_null(case: Case) -> tuple[Edit, ...]:
    if not case.authorities[0].key.startswith("rsa"):
        raise Impossible("the issuing CA's key is not an RSA key")
    return Edit((1, 1), EditOp.REMOVE), Edit((1, 1), EditOp.REMOVE, signed=False)


def _with_list(*entries: bytes) -> tuple[Edit, ...]:
    """Insert a list of entries before the extensions."""
    return (Edit((-1,), EditOp.INSERT, der.sequence(*entries)),)


def _with_later_entry(case: Case) -> tuple[Edit, ...]:
    return _with_list(der.sequence(der.integer(1), der.time(case.clock + timedelta(days=1))))


def _with_unused_reason(case: Case) -> tuple[Edit, ...]:
    reason = der.sequence(der.oid(oids.CRL_REASON), der.octet_string(der.tlv(0x0A, bytes((_UNUSED_REASON,)))))
    time = der.time(case.clock - timedelta(days=1))
    return _with_list(der.sequence(der.integer(1), time, der.sequence(reason)))


def _has_number(crl: CertificateList) -> bool:
    extension = crl.extensions.raw(oids.CRL_NUMBER)
    return extension is not None and not extension.critical


_PARTS = {
    "version_2": _Part("version 1", "version 2", lambda crl: crl.version == 2, _removed(0)),
    "next_update": _Part(
        "no next_update", "a next_update", lambda crl: crl.next_update is not None, _removed(4)
    ),
    "authority_key_identifier": _Part(
        "no authority key identifier",
        "an authority key identifier",
        lambda crl: crl.extensions.raw(oids.AUTHORITY_KEY_IDENTIFIER) is not None,
        _removed(-1, 0, 0),
    ),
    "number": _Part("no CRL number", "a CRL number that is not critical", _has_number, _removed(-1, 0, 1)),
    "algorithms_agree": _Part(
        "two signature algorithms",
        "the same algorithm inside and outside",
        lambda crl: crl.algorithms_agree,
        _other_algorithm,
    ),
    "rsa_parameters": _Part(
        "an RSA signature algorithm without NULL",
        "NULL parameters",
        lambda crl: not lacks_null(crl.signed_algorithm),
        _without_null,
    ),
    "no_empty_list": _Part(
        "an empty list of revoked certificates",
        "no list without entries",
        lambda crl: not crl.has_list or crl.count > 0,
        lambda case: _with_list(),
    ),
    "revocation_times": _Part(
        "an entry that was revoked after thisUpdate",
        "revocation dates up to thisUpdate",
        lambda crl: all(entry.at <= crl.this_update for entry in crl.entries()),
        _with_later_entry,
    ),
    "reason_codes": _Part(
        "an entry with an undefined reason code",
        "the reason codes of RFC 5280, 5.3.1",
        lambda crl: all(entry.reason in _REASONS for entry in crl.entries()),
        _with_unused_reason,
    ),
}


@demand
class CrlDemand(Demand):
    """The form, the entries, the age and the size of the CRL at the certificate's distribution point.

    ``maximum_age`` is the longest time from thisUpdate to nextUpdate, ``maximum_bytes`` the largest size in
    DER. ``issuer_key_identifier``: the authority key identifier is the CA's subject key identifier.
    ``delta_base``: a delta CRL has a higher number than its base, and a complete CRL to apply it to.
    """

    kind: ClassVar[str] = "crl"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED

    version_2: bool = False
    next_update: bool = False
    authority_key_identifier: bool = False
    number: bool = False
    algorithms_agree: bool = False
    rsa_parameters: bool = False
    no_empty_list: bool = False
    revocation_times: bool = False
    reason_codes: bool = False
    maximum_age: Length | None = None
    maximum_bytes: Annotated[int, Field(ge=1, le=1 << 30)] | None = None
    issuer_key_identifier: bool = False
    delta_base: bool = False

    @model_validator(mode="after")
    def _has_a_condition(self) -> CrlDemand:
        if not any(vars(self).values()):
            fields = ", ".join(type(self).model_fields)
            raise ValueError(f"no condition given; set at least one of {fields}")
        return self

    def _parts(self) -> list[str]:
        return [part for part in _PARTS if getattr(self, part)]

    def check(self, subject: CheckInput) -> Outcome:
        """Return the first condition that any of the available CRLs violates."""
        crls = subject.published_crls
        if not crls:
            return not_applicable("no CRL was found, or looked for")
        parts = [_PARTS[name] for name in self._parts()]
        violated = (part for part in parts if not all(map(part.holds, crls)))
        part = next(violated, None)
        if part is not None:
            return failed(part.problem, part.expected)
        problems = (self._problem(crl, crls, subject) for crl in crls)
        return next((one for one in problems if one), passed(parts[-1].expected if parts else ""))

    def _problem(
        self, crl: CertificateList, crls: tuple[CertificateList, ...], subject: CheckInput
    ) -> Outcome | None:
        """Return the outcome if a CRL is too old or too large, or does not fit its CA or its base."""
        if self.maximum_age is not None:
            age = None if crl.next_update is None else crl.next_update - crl.this_update
            if age is None or age > period(crl.this_update, self.maximum_age):
                return failed(str(age or "no nextUpdate"), f"at most {self.maximum_age.text}")
        if self.maximum_bytes is not None and len(crl.der) > self.maximum_bytes:
            return failed(f"{len(crl.der):,} bytes", f"at most {self.maximum_bytes:,} bytes")
        if self.delta_base and (problem := _delta_problem(crl, crls)):
            return failed(problem, "a complete CRL with the number of the base or a higher one")
        issuer = next((one for one in subject.path if one.normalized_subject == crl.normalized_issuer), None)
        if self.issuer_key_identifier and issuer is None:
            return undecided("the CA's certificate was not given")
        if self.issuer_key_identifier and issuer is not None:
            identifier = crl.extensions.authority_key_identifier
            key, expected = identifier and identifier.key_identifier, issuer.extensions.subject_key_identifier
            if key is None or key != expected:
                return failed(
                    key.hex() if key else "no key identifier", expected.hex() if expected else "none"
                )
        return None

    def violations(self) -> Iterator[Violation]:
        """Violate each condition by an edit of the CRL before it is signed."""
        for name in self._parts():
            says = f"The issuing CA's CRL has {_PARTS[name].problem}."
            yield Violation(name.replace("_", "-"), says, partial(_edited, _PARTS[name].edits))
        if (age := self.maximum_age) is not None:
            says = f"The CRL is valid for one second more than {age.text}."
            yield Violation("age", says, partial(_living, age))
        if (most := self.maximum_bytes) is not None:
            says = f"The CRL is larger than {most:,} bytes."
            yield Violation("size", says, partial(_padded, most))
        if self.issuer_key_identifier:
            says = "The authority key identifier of the CRL is not that of its CA."
            yield Violation("key-identifier", says, partial(_edited, _other_key_identifier))
        if self.delta_base:
            says = "The CRL is a delta CRL, and there is no complete CRL."
            indicator = Extension(oids.DELTA_CRL_INDICATOR, True, der.integer(0))
            yield Violation("no-base", says, partial(_with_extension, indicator), "revocation")


def _delta_problem(crl: CertificateList, crls: tuple[CertificateList, ...]) -> str:
    """Return the reason why a delta CRL cannot be applied; "" if it can, or if the CRL is complete."""
    base = crl.base_number
    if base is None:
        return ""
    if crl.number is None or crl.number <= base:
        return f"a delta CRL with the number {crl.number} and the base {base}"
    complete = (one.number for one in crls if one.base_number is None)
    usable = any(number is not None and number >= base for number in complete)
    return "" if usable else f"no complete CRL with the number {base} or a higher one"


def _other_key_identifier(case: Case) -> tuple[Edit, ...]:
    value = der.octet_string(der.sequence(der.tlv(0x80, bytes(20))))
    return (Edit((-1, 0, 0), EditOp.REPLACE, der.sequence(der.oid(oids.AUTHORITY_KEY_IDENTIFIER), value)),)


def _edited(edits: Callable[[Case], tuple[Edit, ...]], case: Case) -> Case:
    """Return the case with a CRL of its own."""
    return _with_crl(lambda crl: replace(crl, edits=edits(case)), case)


def _living(age: Span, case: Case) -> Case:
    """Let the CRL live a second longer than a span from its thisUpdate on."""

    def change(crl: CrlPlan) -> CrlPlan:
        start = case.clock - timedelta(seconds=crl.age)
        lifetime = int(period(start, age).total_seconds()) + 1
        if lifetime > _LONGEST:
            raise Impossible(f"a CRL that is valid for more than {age.text} is not generated")
        return replace(crl, lifetime=lifetime)

    return _with_crl(change, case)


def _padded(size: int, case: Case) -> Case:
    if size > _LARGEST:
        raise Impossible(f"a CRL of more than {_LARGEST:,} bytes is not generated")
    return _with_extension(Extension(_PADDING, False, der.octet_string(bytes(size))), case)


def _with_extension(extension: Extension, case: Case) -> Case:
    return _with_crl(lambda crl: replace(crl, extensions=(*crl.extensions, extension)), case)


def _with_crl(change_crl: Callable[[CrlPlan], CrlPlan], case: Case) -> Case:
    """Return the case with an issuing CA of its own whose CRL is changed."""

    def change(entity: Entity) -> Entity:
        if entity.crl is None:
            raise Impossible(f"the authority '{entity.name}' publishes no CRL")
        return replace(entity, crl=change_crl(entity.crl))

    return case.change_authority(0, change)
