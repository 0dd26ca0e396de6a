"""Builds the objects of manifest.json: entities, CRLs, revocations, OCSP responses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from json import JSONEncoder
from typing import Any

from pkigen.asn1 import names
from pkigen.environment.crl.publish import crl_path, part_path, stated_time
from pkigen.environment.manifest import schema
from pkigen.environment.published.publishers import CrlIssuer
from pkigen.formats.names import ROLES, file_name
from pkigen.model import (
    ISSUED_CHAIN,
    AdditionalCrl,
    CertificatePlan,
    CrlForm,
    CrlPart,
    Entity,
    Fault,
    Issued,
    Name,
    OcspPlan,
)
from pkigen.profile import PathTest
from pkigen.store import CrlState, Revoked
from pkigen.x509 import Certificate

TRUST = "trust.pem"
_as_line = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def entity_json(issued: Issued, files: Sequence[str], spki: str) -> str:
    """Return the part of an entity's object that changes only with its certificate; the index stores it.

    The manifest writer adds the rest (revocation, verdict, CRL). ``files`` are paths relative to the
    environment, ``spki`` is the SHA-256 of the SubjectPublicKeyInfo in hexadecimal. Objects of the schema
    would take five times as long.
    """
    entity = issued.entity
    main, *cross = _certificates(issued)
    fields = {
        "name": entity.name,
        "subject": names.text(_subject(issued)),
        **main,
        "cross_certificates": cross,
        "path": [authority.partition("/")[2] for authority in entity.issuers],
        "key": {"kind": entity.key, "spki_sha256": spki},
        "files": _files(entity, files),
    }
    if entity.ca_url is not None:
        fields["ca_url"] = entity.ca_url
    else:
        fields |= {
            "hosts": entity.hosts,
            "server": entity.server,
            "trust": _trust(issued),
            "serving": [asdict(behavior) for behavior in entity.serving],
        }
    if entity.fault is not None:
        fields["fault"] = fault_entry(entity.fault).model_dump(mode="json", exclude_unset=True)
    return _as_line(fields)


def crl_entry(issuer: CrlIssuer, state: CrlState) -> schema.Crl:
    """Return the object of an authority's complete CRL, and of the CRLs in addition to it."""
    plan = issuer.crl
    parts: list[CrlPart | AdditionalCrl] = list(plan.published_parts)
    url, file, number = plan.url, crl_path(issuer), state.number
    this_update, next_update = _utc(state.this_update), _utc(state.next_update)
    if plan.form is CrlForm.NONE:
        # Without a complete CRL, the first of the additional ones takes its place.
        first = parts.pop(0)
        assert isinstance(first, AdditionalCrl)
        url, file = plan.part_url(first), part_path(issuer, first.name)
        number = number if first.number is None else first.number
        next_update = stated_time(first.next_update, this_update, next_update)
        this_update = stated_time(first.this_update, this_update)
    return schema.Crl.model_construct(
        url=url,
        file=file,
        number=number,
        this_update=this_update,
        next_update=next_update,
        parts=[
            schema.CrlPart.model_construct(
                name=part.name, url=plan.part_url(part), file=part_path(issuer, part.name)
            )
            for part in parts
        ],
    )


def ocsp_entry(plan: OcspPlan, state: CrlState) -> schema.Ocsp:
    """Return the object of a case's OCSP response."""
    return schema.Ocsp.model_construct(
        url=plan.url,
        file=state.files[0][0],
        this_update=_utc(state.this_update),
        next_update=None if plan.lifetime is None else _utc(state.next_update),
    )


def responder_entry(entity: Entity) -> schema.Responding | None:
    """Return the object of an authority's OCSP responder, or None if the profile defines none."""
    plan = entity.responding
    if plan is None:
        return None
    by = "name" if plan.by_name else "key"
    return schema.Responding.partial(
        url=plan.url,
        responder=plan.responder or None,
        by=by,
        valid=plan.lifetime,
        certificates=plan.certificates,
    )


def path_tests(tests: Sequence[PathTest]) -> dict[str, list[schema.PathTest]]:
    """Return the field with the path tests of the profile, if it has any."""
    entries = [schema.PathTest.model_construct(**_stated(test)) for test in tests]
    return {"path_tests": entries} if entries else {}


def _stated(test: PathTest) -> dict[str, Any]:
    """Return the fields of a test, those that are optional in the manifest only if they are stated."""
    fields = {name: getattr(test, name) for name in schema.PathTest.model_fields}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in fields.items()
        if schema.PathTest.model_fields[name].is_required() or name in test.model_fields_set
    }


def revocation_entry(revocations: Iterable[Revoked], certificate: tuple[str, int]) -> schema.Revoked | None:
    """Return the object of a certificate's revocation, or None if none of ``revocations`` is for it.

    ``certificate`` is (issuer id, serial).
    """
    for revoked in revocations:
        if (revoked.issuer_id, revoked.serial) == certificate:
            since = {} if revoked.invalid_since is None else {"invalid_since": _utc(revoked.invalid_since)}
            return schema.Revoked.partial(reason=revoked.reason, at=_utc(revoked.at), **since)
    return None


def earlier_certificates(
    entity: str, serials: Iterable[tuple[str, int]], revocations: Sequence[Revoked]
) -> list[schema.EarlierCertificate]:
    """Return the objects of former certificates of an entity (id).

    ``serials`` are (issuer id, serial), ``revocations`` those of the entity's certificates.
    """
    return [
        schema.EarlierCertificate.partial(
            issuer=None if issuer == entity else issuer.partition("/")[2],
            serial=serial.to_bytes((serial.bit_length() + 7) // 8, "big").hex(),
            revoked=revocation_entry(revocations, (issuer, serial)),
        )
        for issuer, serial in serials
    ]


def _certificates(issued: Issued) -> list[dict[str, Any]]:
    """Take the values from the plan, since faulty certificates need not parse; imported ones do."""
    entity = issued.entity
    if not entity.certificates:
        imported = Certificate(issued.certificates[0])
        return [_certificate(None, imported.serial, imported.not_before, imported.not_after, imported.der)]
    return [
        _certificate(_issuer(entity, plan), plan.serial, plan.not_before, plan.not_after, data)
        for plan, data in zip(entity.certificates, issued.certificates, strict=True)
    ]


def _certificate(
    issuer: str | None, serial: int, not_before: datetime, not_after: datetime, data: bytes
) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "serial": f"{serial:x}",
        "not_before": _time(not_before),
        "not_after": _time(not_after),
        "sha256": sha256(data).hexdigest(),
    }


@lru_cache(maxsize=16)
def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _subject(issued: Issued) -> Name:
    plans = issued.entity.certificates
    return plans[0].subject if plans else Certificate(issued.certificates[0]).subject


def fault_entry(fault: Fault) -> schema.Fault:
    """Return the object of a case's fault."""
    defaults = (("file", ""), ("sent", True), ("authority", ""))
    without = {key for key, default in defaults if getattr(fault, key) == default}
    fields = schema.Fault.model_fields.keys() - without
    return schema.Fault.partial(
        **{key: value for key, value in asdict(fault).items() if key in fields}
        | {"violates": list(fault.violates) if fault.against else None, "messages": list(fault.messages)}
    )


def _trust(issued: Issued) -> list[str]:
    """Return the files with the trust anchors; only trust.pem contains the root above an imported CA."""
    entity = issued.entity
    if not entity.trust and len(issued.chain) > len(entity.issuers):
        return [TRUST]
    return [_certificate_path(anchor) for anchor in entity.trust or entity.issuers[-1:]]


def _certificate_path(entity_id: str) -> str:
    return f"{entity_id}/{entity_id.partition('/')[2]}.crt"


def _issuer(entity: Entity, plan: CertificatePlan) -> str | None:
    return None if plan.issuer_id == entity.id else plan.issuer_id.partition("/")[2]


def _files(entity: Entity, paths: Sequence[str]) -> dict[str, str]:
    """Map roles (keys of ROLES) or extensions to paths; the issuing CA may have the chain."""
    roles = {file_name(entity, role): role for role in ROLES}
    files = {}
    for path in paths:
        name = path.rpartition("/")[2]
        files[roles.get(name) or name.removeprefix(f"{entity.name}.")] = path
    if "chain" not in entity.output.files and entity.fault is None:
        shared = f"{entity.issuers[0]}/{ROLES[ISSUED_CHAIN]}" if entity.issuers else files["certificate"]
        files["chain"] = shared
    return files


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
