"""The base class of all kinds of demand: each kind checks a certificate and lists how to violate itself.

*Demand* is the term of the requirement language for the condition of a requirement (``demand:``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Literal

from pkigen.cases.case import Case
from pkigen.documents.fields import Value
from pkigen.requirements.outcome import Outcome, not_applicable
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate


class Needs(IntEnum):
    """What must exist before a demand can be checked."""

    PLAN = 0
    ISSUED = 1


Stage = Literal["file", "parse", "path", "name", "revocation"] | None


CaseFile = Literal["certificate", "key", "chain"]


@dataclass(frozen=True)
class Violation:
    """One way to violate a demand: its name ("" if there is only one), description and change.

    ``stage`` is where a strict validator rejects the certificate, or a program one of its files; None if
    all accept it. With ``varies``, validators differ. ``file`` is the only file that the change is in: the
    certificate, the key or the chain; "" if the certificate itself changes. ``sent`` is false if a TLS server
    that can read the file presents nothing wrong.
    """

    variant: str
    says: str
    apply: Callable[[Case], Case]
    stage: Stage = None
    varies: bool = False
    file: CaseFile | Literal[""] = ""
    sent: bool = True


class Demand(Value):
    """A kind of condition that a requirement sets, with its parameters.

    ``kind`` is its key in YAML files. ``field`` is where ``pkigen show --against`` prints a violation:
    the id of a field of the certificate, the OID of an extension, or None to print it with the
    certificate as a whole. ``blame`` is the path of the profile field that causes a violation.
    ``of_requests`` is true if the demand also applies to certification requests. A certificate field
    that cannot be read (Malformed) violates the demand.
    """

    kind: ClassVar[str]
    field: ClassVar[str | None]
    needs: ClassVar[Needs] = Needs.PLAN
    blame: ClassVar[tuple[str | int, ...]] = ()
    of_requests: ClassVar[bool] = False

    @property
    def other_role(self) -> str | None:
        """The role of the set whose certificates the demand compares with, if it does."""
        return None

    @property
    def compares(self) -> bool:
        """Whether the outcome depends on other certificates of an environment."""
        return self.other_role is not None

    def check(self, subject: CheckInput) -> Outcome:
        """Return whether a certificate, with its key, chain and CRL, satisfies the demand."""
        if subject.certificate is None:
            return not_applicable("there is no certificate")
        return self.check_certificate(subject.certificate, subject)

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Return the same for a certificate that was given."""
        raise NotImplementedError

    def violations(self) -> Iterator[Violation]:
        """Yield the ways to violate the demand, boundary values first."""
        raise NotImplementedError


KINDS: dict[str, type[Demand]] = {}
"""Every kind of demand by its key."""


def demand(cls: type[Demand]) -> type[Demand]:
    """Register a class as a kind of demand; TypeError if the class is incomplete or the kind exists."""
    where = f"{cls.__module__}.{cls.__qualname__}"
    for name in ("kind", "field"):
        if name not in vars(cls):
            raise TypeError(
                f"{where} has no '{name}'; set it as described in pkigen.requirements.demand.Demand"
            )
    if cls.kind in KINDS:
        raise TypeError(f"{where}: the kind '{cls.kind}' exists already; choose another")
    KINDS[cls.kind] = cls
    return cls
