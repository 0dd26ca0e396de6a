"""The manifest brought up to date with revocations and CRLs, where there is no profile to plan by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from pkigen.environment.manifest import write
from pkigen.environment.manifest.entries import crl_entry, revocation_entry
from pkigen.environment.manifest.verdicts import ORPHAN, verdict_without_fault
from pkigen.environment.ocsp import presigned
from pkigen.environment.published.publishers import CrlIssuer, PresignedSubject
from pkigen.model import Role
from pkigen.store import Store


def update_manifest(
    store: Store,
    issuers: Mapping[str, CrlIssuer],
    entities: Sequence[str],
    answered: Mapping[str, PresignedSubject] = MappingProxyType({}),
) -> None:
    """Say what the index knows of CRLs now, of the revocations of some entities, and of answers about some.

    An environment whose manifest is not there, or was altered, gets it from the next build.
    """
    try:
        manifest: dict[str, Any] = json.loads((store.folder / write.PATH).read_bytes())
    except (OSError, ValueError):
        return
    for one in manifest["authorities"]:
        authority = f"{Role.AUTHORITY}/{one['name']}"
        issuer, state = issuers.get(authority), store.index.crl(authority)
        if issuer is not None and state is not None:
            one["crl"] = crl_entry(issuer, state)
    for entity in entities:
        kind, _, name = entity.partition("/")
        for one in manifest["authorities" if kind == Role.AUTHORITY else "cases"]:
            if one["name"] == name:
                one["revoked"] = _revocation(store, entity)
    fallen = frozenset(one["name"] for one in manifest["authorities"] if one["revoked"] is not None)
    now = datetime.fromisoformat(manifest["clock"])
    for case in manifest["cases"]:
        entity = f"{Role.CERTIFICATE}/{case['name']}"
        given = store.index.crl(entity) if entity in answered else None
        if given is not None:
            case["ocsp"] = presigned.manifest_entry(answered[entity].ocsp, given)
        if not _is_of_a_fault(case):
            case["verdict"] = _verdict(case, fallen, now)
    write.write(store, manifest)


def _revocation(store: Store, entity: str) -> dict[str, str] | None:
    entry = store.index.get([entity])[entity]
    return revocation_entry(store.index.revocations_of(entity), entry.serials[0])


def _is_of_a_fault(case: Mapping[str, Any]) -> bool:
    """Whether the verdict is about what is wrong with the case, and not about its times and revocation."""
    return "fault" in case and case["verdict"]["reason"] == case["fault"]["says"]


def _verdict(case: Mapping[str, Any], fallen: frozenset[str], now: datetime) -> dict[str, Any]:
    not_before, not_after = (datetime.fromisoformat(case[key]) for key in ("not_before", "not_after"))
    return verdict_without_fault(
        self_signed=case["issuer"] is None,
        orphan=case["verdict"]["reason"] == ORPHAN,
        times=(not_before, not_after),
        now=now.astimezone(UTC),
        revoked=case["revoked"],
        fallen=next((name for name in case["path"] if name in fallen), None),
    )
