"""The objects of manifest.json for the certificates that devices requested, from the index alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from pkigen.environment.manifest import schema
from pkigen.environment.manifest.entries import earlier_certificates, revocation_entry
from pkigen.environment.manifest.verdicts import verdict_without_fault
from pkigen.environment.published.stored_keys import first_certificate
from pkigen.errors import PkigenError
from pkigen.formats import pem
from pkigen.model import Role
from pkigen.store import EnrolledRow, Record, Revoked, Store
from pkigen.x509 import Certificate

_CHUNK = 256
_Issuance = tuple[tuple[str, ...], str]
"""The ids of the issuers, and the fingerprints of their certificates at that time."""


@dataclass(frozen=True, slots=True)
class _Description:
    """What changes only when the certificate is issued again: ``serials`` are those of the index.

    ``start`` and ``end`` are the object up to and after the fields that can change.
    """

    id: str
    serials: str
    start: str
    end: str
    certificates: list[tuple[str, int]]
    earlier: list[tuple[str, int]]
    issuance: _Issuance
    times: tuple[datetime, datetime]
    at: datetime
    verdict: schema.Verdict | None

    @property
    def path(self) -> list[str]:
        """The names of the authorities above the certificate."""
        path: list[str] = json.loads(self.start + "}")["path"]
        return path


@dataclass(frozen=True)
class _Circumstances:
    """What the objects of all certificates depend on.

    ``former`` are the issuances by CA certificates that were replaced, ``revoked`` the names of revoked
    authorities.
    """

    clock: datetime
    former: Set[_Issuance]
    revoked: Set[str]


class EnrolledLines:
    """Describes the requested certificates of an environment, and keeps the objects that did not change."""

    def __init__(self) -> None:
        self._descriptions = dict[str, _Description]()
        self._circumstances: _Circumstances | None = None
        self._lines = dict[str, str]()
        """The objects of the certificates without a revocation, under the last circumstances."""

    def lines(self, store: Store, clock: datetime, revoked_authorities: Set[str]) -> list[str]:
        """Return the JSON object of each certificate, in the order of the manifest.

        ``clock`` is the time of the expected verdicts, ``revoked_authorities`` are names.
        """
        issued, known = store.index.enrolled.serials(), self._descriptions
        changed = [
            one for one, serials in issued.items() if one not in known or known[one].serials != serials
        ]
        known.update(zip(changed, _describe(store, changed), strict=True))
        revocations = {one: store.index.revocations_of(one) for one in store.index.enrolled.revoked()}
        examples = {description.issuance: one for one, description in known.items()}
        circumstances = _Circumstances(clock, _former(store, examples, clock), revoked_authorities)
        unchanged = self._lines if circumstances == self._circumstances else {}
        for one in (*changed, *revocations):
            unchanged.pop(one, None)
        lines = {
            one: unchanged.get(one) or _line(known[one], revocations.get(one, ()), circumstances)
            for one in issued
        }
        self._circumstances = circumstances
        self._lines = {one: line for one, line in lines.items() if one not in revocations}
        return list(lines.values())


def certificates_of_former_issuers(store: Store, now: datetime) -> list[str]:
    """Return the ids of the requested certificates whose issuer was replaced, and with it their path."""
    issuances = {
        one: (tuple(issuer for issuer, _ in json.loads(serials)), signed_by)
        for one, serials, signed_by in store.index.enrolled.issuers()
    }
    former = _former(store, {issuance: one for one, issuance in issuances.items()}, now)
    return [one for one, issuance in issuances.items() if issuance in former]


def _former(store: Store, examples: Mapping[_Issuance, str], now: datetime) -> Set[_Issuance]:
    """Return the issuances after which a CA was replaced; ``examples`` has a certificate (id) of each."""
    return {one for one, entity in examples.items() if _is_former(store, one, entity, now)}


def _is_former(store: Store, issuance: _Issuance, entity: str, now: datetime) -> bool:
    issuers, signed_by = issuance
    current = store.index.get(issuers)
    if signed_by == ",".join(current[one].fingerprint if one in current else "" for one in issuers):
        return False
    return not _has_current_chain(store, entity, now)


def _has_current_chain(store: Store, entity: str, now: datetime) -> bool:
    """Return whether the chain of a certificate still leads to the root, although CAs were renewed.

    A renewed CA has the name and the key that it had; its former certificate is valid until it expires.
    """
    try:
        path = json.loads(store.index.records([entity])[entity].record)["path"]
        chain = [Certificate(block.data) for block in pem.blocks(store.read(f"{entity}/chain.pem"))]
        current = [_certificate(store, name) for name in path]
    except (OSError, ValueError, StopIteration, PkigenError):
        return False
    return list(map(_identity, chain)) == list(map(_identity, current)) and all(
        one.not_after >= now for one in chain
    )


def _certificate(store: Store, authority: str) -> Certificate:
    return Certificate(first_certificate(store.read(f"{Role.AUTHORITY}/{authority}/{authority}.crt")))


def _identity(certificate: Certificate) -> tuple[bytes, bytes]:
    return certificate.subject_der, certificate.subject_public_key_info


def _describe(store: Store, ids: Sequence[str]) -> Iterator[_Description]:
    earlier = store.index.earlier_serials() if ids else {}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        rows, records = store.index.enrolled.rows(chunk), store.index.records(chunk)
        for one in chunk:
            yield _description(rows[one], records[one], earlier.get(one, ()))


def _description(row: EnrolledRow, record: Record, serials: Iterable[tuple[str, int]]) -> _Description:
    """Return the description of a certificate; ``serials`` are those of all that its entity had."""
    enrolment = schema.Enrolment.model_construct(
        template=row.template or None, protocol=row.protocol, requester=row.requester, at=_utc(row.at)
    )
    certificates = record.certificates
    return _Description(
        row.id,
        record.serials,
        record.record[:-1],
        f',"enrolment":{enrolment.as_json()}}}',
        certificates,
        [pair for pair in serials if pair not in certificates],
        (tuple(issuer for issuer, _ in certificates), record.issuers),
        (_utc(record.not_before), _utc(record.not_after)),
        _utc(row.at),
        schema.Verdict.model_validate_json(row.verdict) if row.verdict else None,
    )


def _line(one: _Description, revocations: Sequence[Revoked], now: _Circumstances) -> str:
    """Return the object of a certificate, with the fields that can change after it was issued."""
    revoked = revocation_entry(revocations, one.certificates[0])
    path = one.path if now.revoked else ()
    verdict = one.verdict or verdict_without_fault(
        self_signed=False,
        orphan=one.issuance in now.former,
        times=one.times,
        # A certificate that was issued after the last build is valid from then on.
        now=max(now.clock, one.at),
        defect=None,
        revocation_reason=None if revoked is None else revoked.reason,
        revoked_ancestor=next((name for name in path if name in now.revoked), None),
    )
    if revoked is None and not one.earlier:
        fields = _plain_fields(verdict.expected, verdict.stage, verdict.reason)
    else:
        earlier = earlier_certificates(one.id, one.earlier, revocations)
        former = {"earlier_certificates": earlier} if earlier else {}
        fields = _fields(schema.Case.partial(revoked=revoked, verdict=verdict, **former))
    return one.start + fields + one.end


@lru_cache(maxsize=64)
def _plain_fields(expected: str, stage: str | None, reason: str | None) -> str:
    """Return the fields of a certificate without a revocation, which most share."""
    verdict = schema.Verdict.partial(expected=expected, stage=stage, reason=reason)
    return _fields(schema.Case.partial(revoked=None, verdict=verdict))


def _fields(fields: schema.Case) -> str:
    return "," + fields.as_json()[1:-1]


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
