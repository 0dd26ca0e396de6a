"""Requests for certificates, and the records of the certificates that they got."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pkigen.clock import utc_now
from pkigen.environment.build.diff import output_digest
from pkigen.environment.build.issuance import IssuedEntity
from pkigen.environment.build.reissue_reasons import GIVEN, issuer_fingerprints, spec_digest
from pkigen.environment.manifest.schema import Verdict
from pkigen.errors import InputError
from pkigen.faults import FaultRequest, parse_faults
from pkigen.model import Entity
from pkigen.profile.certification_request import Requested
from pkigen.profile.enrolment import Template
from pkigen.store import EnrolledRow, Entry


@dataclass(frozen=True)
class Enrolled:
    """A certificate that a device requested.

    ``certificate`` and ``chain`` are DER; the chain is that of the issuing CA, up to and including the root.
    ``issuer`` is the name of the issuing authority.
    """

    name: str
    template: str
    issuer: str
    serial: int
    certificate: bytes
    chain: tuple[bytes, ...]
    not_before: datetime
    not_after: datetime


@dataclass(eq=False)
class EnrolmentOrder:
    """A request that waits for its certificate, and the result: a certificate or an error."""

    template: Template
    requested: Requested
    protocol: str
    requester: str
    name: str
    renewal_of: str
    faults: Sequence[FaultRequest]
    now: datetime
    list_now: bool
    enrolled: Enrolled | None = None
    error: Exception | None = None


def enrolled_row(order: EnrolmentOrder, entity: Entity) -> EnrolledRow:
    """Return the record of an enrolled certificate."""
    return EnrolledRow(
        entity.id,
        order.template.name,
        order.protocol,
        order.requester,
        int(utc_now().timestamp()),
        order.requested.der,
        _verdict(entity),
        json.dumps([one.form for one in order.faults]) if order.faults else "",
    )


def recorded_faults(row: EnrolledRow) -> tuple[FaultRequest, ...]:
    """Return the faults of a certificate that its template does not have; InputError if one is unknown."""
    try:
        return tuple(request for one in json.loads(row.faults or "[]") for request in parse_faults(one))
    except ValueError as error:
        raise InputError(f"{row.id}: its fault is not in the catalog: {error}") from error


def _verdict(entity: Entity) -> str:
    """Return the expected verdict of a certificate with a fault, as JSON; "" for one without."""
    fault = entity.fault
    if fault is None:
        return ""
    return Verdict.partial(expected=fault.expected, stage=fault.stage, reason=fault.says).as_json()


def index_entry(entity: Entity, issued: IssuedEntity, fingerprints: Mapping[str, str], salt: bytes) -> Entry:
    """Return the index entry of an issued certificate."""
    plan = entity.certificates[0]
    return Entry(
        id=entity.id,
        spec=spec_digest(entity),
        output=output_digest(entity, salt),
        issuers=issuer_fingerprints(entity, fingerprints),
        key_kind=entity.key,
        key_source=GIVEN,
        spki=issued.spki,
        serials=tuple((one.issuer_id, one.serial) for one in entity.certificates),
        not_before=int(plan.not_before.timestamp()),
        not_after=int(plan.not_after.timestamp()),
        record=issued.record,
    )
