"""What the manifest says of one entity, as JSON text that the index keeps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from pkigen import names
from pkigen.formats.file_names import file_name
from pkigen.model import CertificatePlan, Entity, Issued
from pkigen.x509 import Certificate


def record(issued: Issued, files: Sequence[str], spki: str) -> str:
    """The JSON object of an entity; ``files`` are its paths below the environment's folder.

    ``spki`` is the SHA-256 of its SubjectPublicKeyInfo in hexadecimal digits. What changes without
    a new certificate (verdict, CRL) is not in here.
    """
    entity = issued.entity
    planned = entity.certificates
    held = Certificate(issued.certificates[0])
    main, *cross = (
        [
            _certificate(_issuer(entity, plan), plan.serial, (plan.not_before, plan.not_after), data)
            for plan, data in zip(planned, issued.certificates, strict=True)
        ]
        if planned
        else [_certificate(None, held.serial, (held.not_before, held.not_after), held.der)]
    )
    found: dict[str, Any] = {
        "name": entity.name,
        "subject": names.text(planned[0].subject if planned else held.subject),
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
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


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


@lru_cache(maxsize=64)
def _iso(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


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
