"""Updates manifest.json after a revocation or a CRL refresh, without the profile."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from pkigen.environment.crl.publish import write_bundle
from pkigen.environment.manifest import write
from pkigen.environment.manifest.entries import crl_entry, earlier_certificates, ocsp_entry, revocation_entry
from pkigen.environment.manifest.schema import Authority, Case, Manifest
from pkigen.environment.manifest.verdicts import depends_on_revocation, verdict_of_revocation
from pkigen.environment.published.publishers import CrlIssuer, PresignedSubject
from pkigen.model import Role
from pkigen.store import Store


def update_manifest(
    store: Store,
    issuers: Mapping[str, CrlIssuer],
    entities: Collection[str],
    presigned: Mapping[str, PresignedSubject] = MappingProxyType({}),
) -> None:
    """Write crls.pem, and the recorded state of CRLs, revocations of ``entities`` and OCSP responses.

    ``issuers`` and ``presigned`` are by entity id. If the manifest is missing or damaged, the next build
    writes it.
    """
    write_bundle(store, issuers.values())
    manifest = read_manifest(store)
    if manifest is None:
        return
    authorities = [_authority(store, one, issuers, entities) for one in manifest.authorities]
    revoked = frozenset(one.name for one in authorities if one.revoked is not None)
    cases = [_case(store, one, entities, presigned, revoked) for one in manifest.cases]
    write.rewrite(store, manifest.model_copy(update={"authorities": authorities, "cases": cases}))


def has_responder(store: Store, authority: str) -> bool:
    """Return whether certificates of an authority (id) contain the URL of its OCSP responder."""
    manifest = read_manifest(store)
    authorities = manifest.authorities if manifest else ()
    return any(f"{Role.AUTHORITY}/{one.name}" == authority and one.ocsp is not None for one in authorities)


def read_manifest(store: Store) -> Manifest | None:
    """Return the manifest of an environment; None if it is missing or damaged.

    It can lack the requested certificates, which can be many: the index has them.
    """
    try:
        head, requested, _ = (store.folder / write.PATH).read_bytes().partition(write.REQUESTED.encode())
        return Manifest.model_validate_json(head + b"]}" if requested else head)
    except (OSError, ValueError):
        return None


def _authority(
    store: Store, authority: Authority, issuers: Mapping[str, CrlIssuer], entities: Collection[str]
) -> Authority:
    entity = f"{Role.AUTHORITY}/{authority.name}"
    issuer, state, changes = issuers.get(entity), store.index.crl(entity), dict[str, Any]()
    if issuer is not None and state is not None:
        changes["crl"] = crl_entry(issuer, state)
    if entity in entities:
        changes |= _revocations(store, entity, authority)
    return authority.model_copy(update=changes)


def _case(
    store: Store,
    case: Case,
    entities: Collection[str],
    presigned: Mapping[str, PresignedSubject],
    revoked_authorities: frozenset[str],
) -> Case:
    entity, changes = f"{Role.CERTIFICATE}/{case.name}", dict[str, Any]()
    if entity in entities:
        changes |= _revocations(store, entity, case)
    response = store.index.crl(entity) if entity in presigned else None
    if response is not None:
        changes["ocsp"] = ocsp_entry(presigned[entity].ocsp, response)
    case = case.model_copy(update=changes)
    if _has_verdict_of_fault(case) or not depends_on_revocation(case.verdict):
        return case
    reason = None if case.revoked is None else case.revoked.reason
    ancestor = next((name for name in case.path if name in revoked_authorities), None)
    return case.model_copy(update={"verdict": verdict_of_revocation(reason, ancestor)})


def _revocations(store: Store, entity: str, manifest_entry: Authority | Case) -> dict[str, Any]:
    """Return the fields with the revocations of an entity's current and former certificates."""
    entry, revocations = store.index.entry(entity), store.index.revocations_of(entity)
    changes: dict[str, Any] = {"revoked": revocation_entry(revocations, entry.serials[0])}
    if manifest_entry.earlier_certificates:
        serials = [
            (f"{Role.AUTHORITY}/{one.issuer}" if one.issuer else entity, int(one.serial, 16))
            for one in manifest_entry.earlier_certificates
        ]
        changes["earlier_certificates"] = earlier_certificates(entity, serials, revocations)
    return changes


def _has_verdict_of_fault(case: Case) -> bool:
    """Return whether the verdict depends on the case's fault, and not on its validity and revocation."""
    return case.fault is not None and case.verdict.reason == case.fault.says
