"""The objects of manifest.json for the certificates that devices requested, from the index alone."""

from __future__ import annotations

import json
from collections.abc import Set
from datetime import UTC, datetime

from pkigen.environment.manifest import schema
from pkigen.environment.manifest.entries import earlier_certificates, revocation_entry
from pkigen.environment.manifest.verdicts import verdict_without_fault
from pkigen.store import EnrolledRow, Entry, Store


def enrolled_lines(store: Store, clock: datetime, revoked_authorities: Set[str]) -> dict[str, str]:
    """Return the JSON object of each certificate, by id, in the order of the manifest.

    ``clock`` is the time of the expected verdicts, ``revoked_authorities`` are names.
    """
    rows = store.index.enrolled.issued()
    return {row.id: enrolled_line(store, row, clock, revoked_authorities) for row in rows}


def enrolled_line(store: Store, row: EnrolledRow, clock: datetime, revoked_authorities: Set[str]) -> str:
    """Return the JSON object of a certificate."""
    entry = store.index.entry(row.id)
    return entry.record[:-1] + "," + _rest(store, row, entry, clock, revoked_authorities).as_json()[1:]


def has_former_issuer(store: Store, entry: Entry) -> bool:
    """Return whether the certificate of an entry's issuer was replaced since."""
    issuers = [issuer for issuer, _ in entry.serials]
    current = store.index.get(issuers)
    fingerprints = ",".join(current[one].fingerprint if one in current else "" for one in issuers)
    return fingerprints != entry.issuers


def _rest(
    store: Store, row: EnrolledRow, entry: Entry, clock: datetime, revoked_authorities: Set[str]
) -> schema.Enrolled:
    """Return the fields that can change after the certificate was issued."""
    recorded = store.index.revocations_of(row.id)
    revoked = revocation_entry(recorded, entry.serials[0])
    earlier = [pair for pair in store.index.serials_of(row.id) if pair not in entry.serials]
    former = {"earlier_certificates": earlier_certificates(row.id, earlier, recorded)} if earlier else {}
    if row.verdict:
        verdict = schema.Verdict.model_validate_json(row.verdict)
    else:
        path = json.loads(entry.record)["path"] if revoked_authorities else ()
        verdict = verdict_without_fault(
            self_signed=False,
            orphan=has_former_issuer(store, entry),
            times=(_utc(entry.not_before), _utc(entry.not_after)),
            # A certificate that was issued after the last build is valid from then on.
            now=max(clock, _utc(row.at)),
            defect=None,
            revocation_reason=None if revoked is None else revoked.reason,
            revoked_ancestor=next((name for name in path if name in revoked_authorities), None),
        )
    return schema.Enrolled.partial(
        revoked=revoked,
        verdict=verdict,
        **former,
        enrolment=schema.Enrolment.model_construct(
            template=row.template or None,
            protocol=row.protocol,
            requester=row.requester,
            at=_utc(row.at),
        ),
    )


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
