"""A planned certificate, its violations, and the demands that it violates, without signing anything."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pkigen.cases.case import Case, Impossible
from pkigen.plan import sample
from pkigen.plan.placeholder import placeholder
from pkigen.profile import load
from pkigen.requirements import CheckInput, Demand, Status, Violation
from pkigen.requirements.demands import KINDS
from pkigen.x509 import Certificate, Malformed

Key = TypeVar("Key", bound=Hashable)
CLOCK = datetime(2026, 11, 1, tzinfo=UTC)


def case_of(certificate: dict[str, Any], issuing: dict[str, Any] | None = None) -> Case:
    """Return a certificate of a profile as a case without a fault."""
    document = {
        "name": "planned",
        "authorities": {"root": {}, "issuing": {"issuer": "root", **(issuing or {})}},
        "certificates": {"leaf": {"issuer": "issuing", "key": "rsa-2048", **certificate}},
    }
    return sample.case_of(load(document), CLOCK)


def check_input(case: Case) -> CheckInput:
    """Return the certificate of a case as the input of a check."""
    chain = [case.entity, *case.authorities]
    certificates = [
        placeholder(one.certificates[0], one.key, above.key)
        for one, above in zip(chain, [*chain[1:], chain[-1]], strict=True)
    ]
    return CheckInput(
        now=CLOCK, certificate=certificates[0], planned_chain=tuple(certificates[1:]), issued=False
    )


def certificate_of(case: Case) -> Certificate:
    """Return the certificate of a case, which is not signed."""
    certificate = check_input(case).certificate
    assert certificate is not None
    return certificate


def demand(kind: str, **parameters: Any) -> Demand:
    """Return a demand of a kind."""
    return KINDS[kind].model_validate(parameters)


def status(one: Demand, checked: CheckInput) -> Status:
    """Return the status of a demand; a value that cannot be read violates it."""
    try:
        return one.check(checked).status
    except Malformed:
        return Status.FAIL


def violated(demands: Mapping[Key, Demand], case: Case) -> set[Key]:
    """Return the names of the demands that a case violates."""
    checked = check_input(case)
    return {name for name, one in demands.items() if status(one, checked) is Status.FAIL}


def broken(one: Demand, case: Case) -> Iterator[tuple[Violation, Case]]:
    """Yield the violations of a demand with their cases; omit those that the case cannot have."""
    for violation in one.violations():
        try:
            yield violation, violation.apply(case)
        except Impossible:
            continue
