"""The form of the CRL that the issuer publishes (RFC 5280, 5.1 and 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import ClassVar

from pydantic import model_validator

from pkigen.asn1 import oids
from pkigen.cases.case import Case, Impossible
from pkigen.model import Edit, EditOp, Entity, Signature
from pkigen.requirements.demand import Demand, Needs, Violation, demand
from pkigen.requirements.demands.signature import other_outer_algorithm
from pkigen.requirements.outcome import Outcome, not_applicable, pass_or_fail
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import CertificateList

_PARTS: dict[str, tuple[str, str, Callable[[CertificateList], bool], tuple[Edit, ...]]] = {
    "version_2": (
        "version 1",
        "version 2",
        lambda crl: crl.version == 2,
        (Edit((0,), EditOp.REMOVE),),
    ),
    "next_update": (
        "no next_update",
        "a next_update",
        lambda crl: crl.next_update is not None,
        (Edit((4,), EditOp.REMOVE),),
    ),
    "authority_key_identifier": (
        "no authority key identifier",
        "an authority key identifier",
        lambda crl: crl.extensions.raw(oids.AUTHORITY_KEY_IDENTIFIER) is not None,
        (Edit((-1, 0, 0), EditOp.REMOVE),),
    ),
    "number": (
        "no CRL number",
        "a CRL number that is not critical",
        lambda crl: _is_not_critical(crl, oids.CRL_NUMBER),
        (Edit((-1, 0, 1), EditOp.REMOVE),),
    ),
    "algorithms_agree": (
        "two signature algorithms",
        "the same algorithm inside and outside",
        lambda crl: crl.algorithms_agree,
        (),
    ),
}
"""Part -> (found when broken, wanted, the check, the edits that break it).

Those of the algorithm depend on the key that signs.
"""


@demand
class CrlDemand(Demand):
    """One thing that a CRL must have; the CRL is the one at the certificate's distribution point."""

    kind: ClassVar[str] = "crl"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED

    version_2: bool = False
    next_update: bool = False
    authority_key_identifier: bool = False
    number: bool = False
    algorithms_agree: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> CrlDemand:
        if not any(self._asked()):
            raise ValueError(f"this says nothing: give one of {', '.join(_PARTS)}")
        return self

    def _asked(self) -> Iterator[str]:
        return (part for part in _PARTS if getattr(self, part))

    def check(self, subject: CheckInput) -> Outcome:
        """Of every CRL that is found; the first broken part is the outcome."""
        looks = [found for found in map(subject.look, subject.crl_urls) if found is not None]
        crls = [found.crl for found in looks if found.crl is not None]
        if not crls:
            return not_applicable("no CRL was found, or looked for")
        wanted = ""
        for part in self._asked():
            found, wanted, holds, _ = _PARTS[part]
            if not all(map(holds, crls)):
                return pass_or_fail(False, found, wanted)
        return pass_or_fail(True, wanted, wanted)

    def violations(self) -> Iterator[Violation]:
        """Each part that is asked for, edited away before the CRL is signed."""
        for part in self._asked():
            found, _, _, edits = _PARTS[part]
            change = partial(_edited, edits)
            words = f"Its issuer's CRL has {found}."
            yield Violation(
                part.replace("_", "-"), words, partial(Case.change_authority, level=0, change=change)
            )


def _is_not_critical(crl: CertificateList, oid: str) -> bool:
    extension = crl.extensions.raw(oid)
    return extension is not None and not extension.critical


def _edited(edits: tuple[Edit, ...], entity: Entity) -> Entity:
    if entity.crl is None:
        raise Impossible(f"the authority '{entity.name}' publishes no CRL")
    made = edits or (other_outer_algorithm(entity.key, Signature()),)
    return replace(entity, crl=replace(entity.crl, edits=made))
