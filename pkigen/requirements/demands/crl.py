"""The form and the entries of the CRL that the issuing CA publishes (RFC 5280, 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import ClassVar

from pydantic import model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.model import Edit, EditOp, Entity, Signature
from pkigen.requirements.demand import Demand, Needs, Violation, demand
from pkigen.requirements.demands.signature import other_outer_algorithm
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import CertificateList
from pkigen.x509.algorithms import lacks_null

_REASONS = (0, 1, 2, 3, 4, 5, 6, 8, 9, 10)
_UNUSED_REASON = 7


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
    """The form and the entries of the CRL at the certificate's distribution point."""

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

    @model_validator(mode="after")
    def _has_a_condition(self) -> CrlDemand:
        if not self._parts():
            raise ValueError(f"no condition given; set at least one of {', '.join(_PARTS)}")
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
        return passed(parts[-1].expected) if part is None else failed(part.problem, part.expected)

    def violations(self) -> Iterator[Violation]:
        """Violate each condition by an edit of the CRL before it is signed."""
        for name in self._parts():
            says = f"The issuing CA's CRL has {_PARTS[name].problem}."
            yield Violation(name.replace("_", "-"), says, partial(_edited, _PARTS[name]))


def _edited(part: _Part, case: Case) -> Case:
    """Return the case with a CRL of its own."""

    def change(entity: Entity) -> Entity:
        if entity.crl is None:
            raise Impossible(f"the authority '{entity.name}' publishes no CRL")
        return replace(entity, crl=replace(entity.crl, edits=part.edits(case)))

    return case.change_authority(0, change)
