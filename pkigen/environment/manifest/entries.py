"""Builds the entries of manifest.json: entities, CRLs, revocations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from pkigen.asn1 import names
from pkigen.environment.crl.publish import crl_path, part_path
from pkigen.environment.published.publishers import CrlIssuer
from pkigen.formats.names import file_name
from pkigen.model import CertificatePlan, Entity, Issued, Name
from pkigen.store import CrlState, Revoked
from pkigen.x509 import Certificate


def entity_json(issued: Issued, files: Sequence[str], spki: str) -> str:
    """The JSON object of an entity; ``files`` are its paths below the environment's folder.

    ``spki`` is the SHA-256 of its SubjectPublicKeyInfo in hexadecimal digits. What changes without
    a new certificate (verdict, CRL) is not in here.
    """
    entity = issued.entity
    main, *cross = _certificates(issued)
    found: dict[str, Any] = {
        "name": entity.name,
        "subject": names.text(_subject(issued)),
        **main,
        "cross_certificates": cross,
        "path": [above.partition("/")[2] for above in entity.issuers],
        "key": {"kind": entity.key, "spki_sha256": spki},
        "files": _files(entity, files),
    }
    if entity.ca_url is not None:
        found["ca_url"] = entity.ca_url
    else:
        found["hosts"] = list(entity.hosts)
        found["trust"] = [_certificate_path(one) for one in entity.trust or entity.issuers[-1:]]
        found["serving"] = [asdict(behaviour) for behaviour in entity.serving]
    if entity.fault is not None:
        told = asdict(entity.fault).items()
        found["fault"] = {key: value for key, value in told if key not in ("stage", "expected")}
        if not entity.fault.against:
            found["fault"]["violates"] = None
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _certificates(issued: Issued) -> list[dict[str, Any]]:
    """As they are planned: those of a fault need not be readable. What was brought is."""
    entity = issued.entity
    if not entity.certificates:
        held = Certificate(issued.certificates[0])
        return [_certificate(None, held.serial, (held.not_before, held.not_after), held.der)]
    return [
        _certificate(_issuer(entity, plan), plan.serial, (plan.not_before, plan.not_after), data)
        for plan, data in zip(entity.certificates, issued.certificates, strict=True)
    ]


def _subject(issued: Issued) -> Name:
    planned = issued.entity.certificates
    return planned[0].subject if planned else Certificate(issued.certificates[0]).subject


def _certificate(
    issuer: str | None, number: int, times: tuple[datetime, datetime], data: bytes
) -> dict[str, Any]:
    not_before, not_after = map(_iso, times)
    return {
        "issuer": issuer,
        "serial": f"{number:x}",
        "not_before": not_before,
        "not_after": not_after,
        "sha256": sha256(data).hexdigest(),
    }


def _certificate_path(entity_id: str) -> str:
    return f"{entity_id}/{entity_id.partition('/')[2]}.crt"


def _issuer(entity: Entity, plan: CertificatePlan) -> str | None:
    return None if plan.issuer_id == entity.id else plan.issuer_id.partition("/")[2]


def _files(entity: Entity, files: Sequence[str]) -> dict[str, str]:
    """Paths by what they are: ``certificate``, ``key``, ``chain``, else by their own ending."""
    known = {file_name(entity, role): role for role in ("certificate", "key", "chain", "passphrase")}
    found = {}
    for path in files:
        name = path.rpartition("/")[2]
        found[known.get(name) or name.removeprefix(f"{entity.name}.")] = path
    return found


def crl_entry(issuer: CrlIssuer, state: CrlState) -> dict[str, Any]:
    """The manifest's object of an authority's complete CRL and its parts."""
    asked = issuer.crl
    return {
        "url": asked.url,
        "file": crl_path(issuer),
        "number": state.number,
        "this_update": _iso(state.this_update),
        "next_update": _iso(state.next_update),
        "parts": [
            {"name": part.name, "url": asked.part_url(part), "file": part_path(issuer, part.name)}
            for part in asked.parts
        ],
    }


def revocation_entry(held: Iterable[Revoked], certificate: tuple[str, int]) -> dict[str, str] | None:
    """The manifest's object of the revocation of one certificate (issuer id, serial), among ``held``."""
    for found in held:
        if (found.issuer_id, found.serial) == certificate:
            told = {"reason": found.reason, "at": _iso(found.at)}
            since = found.invalid_since
            return told if since is None else {**told, "invalid_since": _iso(since)}
    return None


@lru_cache(maxsize=64)
def _iso(instant: datetime | int) -> str:
    if isinstance(instant, int):
        instant = datetime.fromtimestamp(instant, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
