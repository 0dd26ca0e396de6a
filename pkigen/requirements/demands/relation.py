"""Relations to other certificates of an environment: the same issuer, another organization."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Iterator
from functools import partial
from typing import Annotated, ClassVar

from pydantic import model_validator

from pkigen.asn1 import names
from pkigen.cases.case import Case, Impossible
from pkigen.documents.fields import Parsed
from pkigen.documents.set_reference import ID
from pkigen.model import Entity
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.demands.subject import oid_of_attribute, parse_attribute
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed, undecided
from pkigen.requirements.subject import CheckInput, PeerGroup
from pkigen.x509 import Certificate

_ISSUER = "issuer"


def _parse_property(text: str) -> str:
    return text if text == _ISSUER else parse_attribute(text)


def _parse_role(text: str) -> str:
    if not ID.fullmatch(text):
        raise ValueError(f"'{text}' is not the name of a role")
    return text


Property = Annotated[str, Parsed(_parse_property, "issuer, or an attribute: CN, O, OU ...")]


@demand
class Relation(Demand):
    """A comparison with every certificate of an environment that has a role of the same set.

    ``same`` and ``different`` list what is compared: ``issuer`` (the CA), and attributes of the subject.
    A profile assigns roles in ``requirements``. Certificates without the role do not matter.
    """

    kind: ClassVar[str] = "relation"
    field: ClassVar[str | None] = None
    blame: ClassVar[tuple[str | int, ...]] = ("subject",)

    role: Annotated[str, Parsed(_parse_role, "the name of a role")]
    same: tuple[Property, ...] = ()
    different: tuple[Property, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Relation:
        if not (self.same or self.different):
            raise ValueError("no condition given; set at least one of same, different")
        if both := sorted({*self.same} & {*self.different}):
            raise ValueError(f"'same' and 'different' both have {', '.join(both)}")
        return self

    @property
    def other_role(self) -> str:
        """The role of the certificates that are compared."""
        return self.role

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Compare the certificate with the others; the first one that violates a condition is named."""
        if subject.peers is None:
            return undecided("only the certificates of an environment are compared with each other")
        peers = subject.peers.get(subject.set_name, {}).get(self.role, PeerGroup())
        excluded = {certificate.der, *subject.not_compared}
        if next(_others(peers.certificates, excluded), None) is None:
            return not_applicable(f"the environment has no other certificate of the role '{self.role}'")
        for name in self.same:
            value = partial(_value, name=name, issued=subject.issued)
            own = value(certificate)
            groups = (group for key, group in peers.by_value(name, value).items() if key != own)
            if other := next((one for group in groups for one in _others(group, excluded)), None):
                return failed(f"another {name} as {_common_name(other)}", f"the same {name} as {self.role}")
        for name in self.different:
            value = partial(_value, name=name, issued=subject.issued)
            group = peers.by_value(name, value).get(value(certificate), ())
            if other := next(_others(group, excluded), None):
                return failed(f"the same {name} as {_common_name(other)}", f"another {name} as {self.role}")
        return passed(f"compared with {len(peers.certificates)} certificates")

    def violations(self) -> Iterator[Violation]:
        """Another value of each property that must be the same, a value of a peer for each of the others."""
        for name in self.same:
            says = f"The {_title(name)} is not that of the certificates of the role '{self.role}'."
            yield Violation(f"other-{name.lower()}", says, partial(_with_other, name))
        for name in self.different:
            says = f"The {_title(name)} is that of a certificate of the role '{self.role}'."
            yield Violation(f"same-{name.lower()}", says, partial(_with_value_of_peer, name, self.role))


def _others(peers: Iterable[Certificate], excluded: Container[bytes]) -> Iterator[Certificate]:
    return (one for one in peers if one.der not in excluded)


def _title(name: str) -> str:
    return name if name == _ISSUER else f"{name} of the subject"


def _common_name(certificate: Certificate) -> str:
    values = names.values(certificate.subject, names.COMMON_NAME)
    return values[0] if values else "a certificate without a common name"


def _value(certificate: Certificate, name: str, *, issued: bool) -> Hashable:
    """Return the compared value; a planned certificate has no key identifiers yet."""
    if name == _ISSUER:
        key = certificate.extensions.authority_key_identifier if issued else None
        return certificate.normalized_issuer, key and key.key_identifier
    return tuple(sorted(names.values(certificate.subject, oid_of_attribute(name))))


def _with_other(name: str, case: Case) -> Case:
    if name == _ISSUER:
        return case.change_authority(0, lambda authority: authority)
    return case.with_attribute(name, "ZZ" if name == "C" else "Other")


def _with_value_of_peer(name: str, role: str, case: Case) -> Case:
    peers = [one for one in case.peers.get(role, ()) if one.id != case.base.id]
    if not peers:
        raise Impossible(f"the profile has no other certificate of the role '{role}'")
    peer: Entity = peers[0]
    if name == _ISSUER:
        raise Impossible("a case is always issued by the CA of its base, or a copy of it")
    values = names.values(peer.certificates[0].subject, oid_of_attribute(name))
    return case.with_attribute(name, values[0] if values else None)
