"""Plans fleets: the certificates of a fleet share most of their content, which is encoded once.

A ``Stencil`` encodes the certificates of a fleet. It takes the names and the extensions from the same
functions as a plan, and ``FleetPlan.check`` compares its output with a full plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pkigen.asn1 import der, names
from pkigen.clock import Validity
from pkigen.documents.yaml_tree import Table
from pkigen.errors import EnvironmentFailure, InputError, Problem
from pkigen.faults import Case, FaultRequest, Impossible
from pkigen.issue import CertificateEncoder, Signer, tbs_certificate, to_be_signed
from pkigen.keys.signing import signature_algorithm
from pkigen.model import Entity, Role
from pkigen.plan.crl_distribution import partition_of
from pkigen.plan.defaults import Extensions, Setting
from pkigen.profile import CertificateSpec, Profile
from pkigen.profile.expansion import InstanceError
from pkigen.profile.fleets import Fleet

if TYPE_CHECKING:
    from pkigen.plan.entities import Planner

_IDENTIFIER = bytes(20)


@dataclass
class Stencil:
    """Encodes the certificates of one fleet; picklable.

    ``settings`` are the inputs of default extensions for each partition of the CRL, ``issuer`` is the
    issuer's name and ``algorithm`` the signature algorithm, both in DER. ``issuer_identifier`` is the key
    identifier of the issuer.
    """

    fleet: Fleet
    settings: tuple[Setting, ...]
    issuer: bytes
    algorithm: bytes
    issuer_identifier: bytes
    clock: datetime
    _extensions: Extensions = field(default_factory=Extensions, init=False)
    _last_validity: tuple[Validity, bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._encoder = CertificateEncoder(self.issuer_identifier)

    def __getstate__(self) -> dict[str, Any]:
        caches = {"_extensions": Extensions(), "_encoder": CertificateEncoder(self.issuer_identifier)}
        return {**self.__dict__, **caches, "_last_validity": None}

    def tbs(self, spec: CertificateSpec, serial: int, spki: bytes, identifier: bytes) -> bytes:
        """Return the TBSCertificate of a certificate in DER; ``identifier`` is that of its key."""
        count = len(self.settings)
        setting = self.settings[partition_of(spec.name, count) if count > 1 else 0]
        extensions = self._extensions(spec, setting)
        return to_be_signed(
            serial,
            self.algorithm,
            self.issuer,
            self._validity(spec.valid),
            names.encode(names.name(spec.subject)),
            spki,
            [self._encoder.extension(one, identifier) for one in extensions],
        )

    def _validity(self, validity: Validity) -> bytes:
        if self._last_validity is None or self._last_validity[0] is not validity:
            not_before, not_after = validity.resolve(self.clock)
            self._last_validity = validity, der.sequence(der.time(not_before), der.time(not_after))
        return self._last_validity[1]


@dataclass
class FleetPlan:
    """A fleet, and its certificates as planned."""

    fleet: Fleet
    planner: Planner

    @property
    def name(self) -> str:
        """The name of the fleet."""
        return self.fleet.name

    @cached_property
    def first(self) -> Entity:
        """The first certificate."""
        return self.entity(1, 1)

    @property
    def issuer_id(self) -> str:
        """The id of the authority that issues the certificates."""
        return self.first.certificates[0].issuer_id

    def entity(self, index: int, serial: int) -> Entity:
        """Return the full plan of a certificate; raise InputError for a template that does not render."""
        try:
            entity = self.planner.certificate(self.fleet.specification(index))
        except InstanceError as error:
            raise InputError(error.problems) from error
        return replace(entity, certificates=(replace(entity.certificates[0], serial=serial),))

    def fault_of(self, index: int) -> FaultRequest | None:
        """Return the fault that the profile requests for a certificate, or None."""
        faults = self.fleet.settings.faults
        if faults is None or index % faults.every:
            return None
        return faults.of[(index // faults.every - 1) % len(faults.of)]

    def faulty(self, indices: Iterable[int], serial_base: int) -> dict[int, Entity]:
        """Return the certificates among some that have a fault, by their numbers."""
        requests = ((index, self.fault_of(index)) for index in indices)
        return {
            index: self._with_fault(index, serial_base + index, fault) for index, fault in requests if fault
        }

    def _with_fault(self, index: int, serial: int, fault: FaultRequest) -> Entity:
        from pkigen.plan.negatives import with_faults

        entity, planner = self.entity(index, serial), self.planner
        above = {authority.id: authority for authority in planner.authorities}
        case = Case(entity, tuple(above[issuer] for issuer in entity.issuers), planner.clock, entity)
        made = with_faults(case, (fault,), self.fleet.specification(index).valid.text, planner.serial)
        if made.copies or made.twins or _beside_certificate(made.entity) != _beside_certificate(entity):
            raise Impossible(f"'{fault.type.id}' changes more than the certificate itself")
        return made.entity

    def problems(self) -> Iterator[Problem]:
        """Yield the faults that a fleet cannot have."""
        faults = self.fleet.settings.faults
        for number, fault in enumerate(faults.of if faults else ()):
            try:
                self._with_fault(1, 1, fault)
            except Impossible as error:
                yield self.fleet.problem(("faults", "of", number), f"{error}; a fleet cannot have it")

    def stencil(self, signer: Signer) -> Stencil:
        """Return the encoder of the certificates; ``signer`` is their issuer."""
        spec, plan = self.fleet.specification(1), self.first.certificates[0]
        count = self.planner.partitions(spec.issuer) or 1
        settings = tuple(
            self.planner.setting(spec, Role.CERTIFICATE, spec.issuer, number) for number in range(count)
        )
        algorithm = signature_algorithm(signer.key, plan.signature)
        quiet = self.fleet.settings.model_copy(update={"faults": None, "revoked": None})
        fleet = replace(self.fleet, settings=quiet, own=Table())
        issuer, clock = names.encode(plan.issuer), self.planner.clock
        return Stencil(fleet, settings, issuer, algorithm, signer.key_identifier, clock)

    def check(self, stencil: Stencil, indices: Iterable[int], serial_base: int) -> None:
        """Compare the encoded certificates with full plans, byte by byte, except for the keys."""
        for index in indices:
            plan, serial = self.entity(index, serial_base + index).certificates[0], serial_base + index
            issuer_identifier = stencil.issuer_identifier
            expected = tbs_certificate(plan, b"", stencil.algorithm, _IDENTIFIER, issuer_identifier)
            spec = stencil.fleet.specification(index)
            if stencil.tbs(spec, serial, b"", _IDENTIFIER) != expected:
                raise EnvironmentFailure(
                    f"{spec.name}: the fleet's encoder and the plan disagree; this is a defect of pkigen, "
                    "please report it with the profile. Nothing of this shard was written"
                )


def _beside_certificate(entity: Entity) -> tuple[object, ...]:
    """Return all of an entity that no shard contains: keys, files, and what servers do."""
    return (
        *(len(entity.certificates), entity.key, entity.key_of, entity.given, entity.output),
        *(entity.serving, entity.ocsp, entity.trust, entity.issuers, entity.revocation),
    )


def fleet_plans(profile: Profile, planner: Planner) -> tuple[FleetPlan, ...]:
    """Return the fleets of a profile; raise InputError for faults that a fleet cannot have."""
    plans = tuple(FleetPlan(fleet, planner) for fleet in profile.fleets)
    problems = [problem for plan in plans for problem in plan.problems()]
    if problems:
        raise InputError(problems)
    return plans
