"""Where two CRLs or OCSP responses differ, as independent parsers see them, and where a fault plans it.

openssl reads CRLs, and the library of cryptography OCSP responses and signatures.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from itertools import chain
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.x509 import ocsp

from pkigen.faults import Case
from pkigen.model import CrlForm, Edit, EditOp, Entity, OcspForm, OcspPlan
from tests.faults.places import Node, asn1_structure, der_of, extensions_of

EVERYTHING = "everything"
"""A planned place: what is published is no CRL or no response at all."""
_UNKNOWN = "unknown"
_NOT_VERIFIED = ("md5", "sha1")
"""Digests whose signatures the library calls invalid."""
_TIMES = ("UTCTIME", "GENERALIZEDTIME")
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)
_TBS = ("version", "inner algorithm", "issuer", "this update", "next update")
_ENTRIES = {"crl entries", "extensions"}


def differing(one: dict[str, str], other: dict[str, str]) -> set[str]:
    """Return the places in which two objects differ; what cannot be determined of one of them is equal."""
    pairs = ((name, one.get(name, ""), other.get(name, "")) for name in {**one, **other})
    return {name for name, ours, theirs in pairs if ours != theirs and _UNKNOWN not in (ours, theirs)}


@cache
def fields_of_crl(data: bytes, issuer: bytes) -> dict[str, str] | None:
    """Return the fields of a CRL by place; None if openssl cannot parse it.

    ``issuer`` is a certificate (PEM).
    """
    structure = asn1_structure(data)
    if structure is None or len(structure.children) < 3 or len(structure.children[0].children) < 4:
        return None
    tbs, outer, signature, *more = structure.children
    parts = list(tbs.children)
    places = {"version": parts.pop(0).text() if parts[0].type == "INTEGER" else ""}
    places |= {name: parts.pop(0).text() for name in ("inner algorithm", "issuer", "this update")}
    places["next update"] = parts.pop(0).text() if parts and parts[0].type in _TIMES else ""
    places["crl entries"] = parts.pop(0).text() if parts and parts[0].type == "SEQUENCE" else ""
    known = [part for part in parts if part.type == "cont [ 0 ]"]
    for name, value in chain.from_iterable(map(extensions_of, known)):
        places[f"{name} again" if name in places else name] = value
    others = (*more, *(part for part in parts if part not in known))
    places |= {"outer algorithm": outer.text(), "signature": _crl_signature(data, issuer, signature)}
    return {**places, "other": tbs.type + " ".join(node.text() for node in others)}


def _crl_signature(data: bytes, issuer: bytes, signature: Node) -> str:
    try:
        key = x509.load_pem_x509_certificate(issuer).public_key()
        crl = x509.load_der_x509_crl(der_of(data))
        if (digest := crl.signature_hash_algorithm) and digest.name in _NOT_VERIFIED:
            return _UNKNOWN
        valid = crl.is_signature_valid(key)  # type: ignore[arg-type]
    except _UNREADABLE:
        return _UNKNOWN
    return f"{signature.type} {'valid' if valid else 'invalid'}"


def planned_of_crl(twin: Entity, made: Entity, revoked: bool) -> set[str]:
    """Return the places in which the CRL of an authority is planned to differ from that of its twin.

    ``revoked`` states that the fault revokes a certificate of the authority.
    """
    one, other = twin.crl, made.crl
    if one is None or other is None or other.form is not CrlForm.SOUND:
        return {EVERYTHING}
    places = {"crl entries"} if revoked or other.entries != one.entries else set[str]()
    changed = {
        field.name for field in fields(other) if getattr(one, field.name) != getattr(other, field.name)
    }
    places |= {"next update"} if changed & {"lifetime", "age"} else set()
    places |= {"this update"} if "age" in changed else set()
    places |= {"extensions"} if changed & {"extensions", "countdown", "parts"} else set()
    places |= {"crl entries"} if changed & {"age", "parts", "indirect_crl_issuer"} else set()
    places |= {"signature"} if "rogue_key" in changed else set()
    if "signature" in changed or (twin.key, twin.key_of) != (made.key, made.key_of):
        places |= {"inner algorithm", "outer algorithm", "extensions"}
    ours, theirs = twin.certificates[0], made.certificates[0]
    places |= {"issuer"} if ours.subject != theirs.subject else set()
    places |= {"extensions", "signature"} if ours.edits != theirs.edits else set()
    places |= {"extensions"} if ours.extensions != theirs.extensions else set()
    return places.union(*map(_of_crl_edit, other.edits))


def _of_crl_edit(edit: Edit) -> set[str]:
    if not edit.path:
        return {"other", "signature"}
    if not edit.signed and edit.path[0] != 0:
        return {"outer algorithm"} if edit.path[0] == 1 else {"signature"}
    inner = edit.path if edit.signed else edit.path[1:]
    moves = len(inner) == 1 and edit.op in (EditOp.REMOVE, EditOp.INSERT, EditOp.APPEND)
    named = _ENTRIES if inner[0] < 0 or inner[0] >= len(_TBS) else {_TBS[inner[0]]}
    return {
        *named,
        *({"other", *_TBS, *_ENTRIES} if moves and inner[0] >= 0 else ()),
        *(() if edit.signed else ("signature",)),
    }


@cache
def fields_of_response(data: bytes, issuer: bytes) -> dict[str, str] | None:
    """Return the fields of an OCSP response by place; None if the library cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dict(_of_response(ocsp.load_der_ocsp_response(data), issuer))
    except _UNREADABLE:
        return None


def _of_response(response: ocsp.OCSPResponse, issuer: bytes) -> Iterator[tuple[str, str]]:
    yield "status", response.response_status.name
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return
    yield "responder", f"{response.responder_name} {response.responder_key_hash!r}"
    yield "produced", str(response.produced_at_utc)
    yield "algorithm", response.signature_algorithm_oid.dotted_string
    yield "signature", _response_signature(response, issuer)
    yield "certificates", " ".join(map(_of_certificate, response.certificates))
    for extension in response.extensions:
        yield extension.oid.dotted_string, str(extension)
    singles = list(response.responses)
    for extension in response.single_extensions if len(singles) == 1 else ():
        yield f"{extension.oid.dotted_string} 0", str(extension)
    for number, one in enumerate(singles):
        yield f"digest {number}", one.hash_algorithm.name
        yield f"name {number}", one.issuer_name_hash.hex()
        yield f"key {number}", one.issuer_key_hash.hex()
        yield f"serial {number}", str(one.serial_number)
        yield (
            f"answer {number}",
            f"{one.certificate_status} {one.revocation_time_utc} {one.revocation_reason}",
        )
        yield f"this update {number}", str(one.this_update_utc)
        yield f"next update {number}", str(one.next_update_utc)


def _of_certificate(certificate: x509.Certificate) -> str:
    extensions = sorted(str(one) for one in certificate.extensions)
    return f"{certificate.issuer} {certificate.subject} {certificate.not_valid_after_utc} {extensions}"


def _response_signature(response: ocsp.OCSPResponse, issuer: bytes) -> str:
    signer = next(iter(response.certificates), None) or x509.load_pem_x509_certificate(issuer)
    key, digest = signer.public_key(), response.signature_hash_algorithm
    if not isinstance(key, EllipticCurvePublicKey) or digest is None:
        return _UNKNOWN
    try:
        key.verify(response.signature, response.tbs_response_bytes, ECDSA(digest))
    except InvalidSignature:
        return "invalid"
    return "valid"


def planned_of_response(made: Case) -> set[str]:
    """Return the places in which a response is planned to differ from one without a fault (``OcspPlan``)."""
    plan = made.entity.ocsp
    assert plan is not None
    sound = OcspPlan(plan.url)
    if plan.form is not OcspForm.SOUND or plan.status or plan.outer:
        return {EVERYTHING}
    changed = {
        field.name for field in fields(plan) if getattr(plan, field.name) != getattr(sound, field.name)
    }
    places = set[str]().union(*(_OF_FIELD.get(name, ()) for name in changed))
    places |= {one.oid for one in plan.extensions} | {plan.wrong_cert_id_field}
    places |= {"signature"} if plan.responder is not None and not plan.responder.enclosed else set()
    return places.union(*map(_of_response_edit, plan.edits))


_OF_FIELD: dict[str, tuple[str, ...]] = {
    "answers": ("answer", "digest", "name", "key", "serial", "this update", "next update"),
    "age": ("this update", "next update", "produced", "answer"),
    "lifetime": ("next update",),
    "produced": ("produced",),
    "responder": ("responder", "certificates"),
    "rogue_key": ("signature",),
    "certificates": ("certificates",),
    "cert_id_digest": ("digest", "name", "key"),
    "signature": ("algorithm",),
}
"""The places that a field of the plan changes; the number of a single response is left out."""


def _of_response_edit(edit: Edit) -> set[str]:
    if edit.path == (0,) and edit.op is EditOp.INSERT:
        return {EVERYTHING}  # a version, and the library reads only the first one
    if not edit.signed:
        return {(EVERYTHING, "algorithm", "signature", "certificates")[edit.path[0]]}
    return {("responder", "produced", "single", "extensions")[edit.path[0]]}


_CRL_PLACES = frozenset({*_TBS, "crl entries", "outer algorithm", "signature", "other"})
_RESPONSE_PLACES = frozenset({"status", "responder", "produced", "algorithm", "signature", "certificates"})


def unplanned_in_crls(twin: Case, made: Case, faulty: Path, sound: Path) -> set[str]:
    """Return the undeclared differences between the CRLs of two environments, with and without a fault."""
    known, unplanned = {one.id: one for one in twin.authorities}, set[str]()
    former = {**known, made.entity.id: twin.entity}
    for authority in made.authorities:
        # Other CRLs list what other cases revoke.
        if authority.name not in made.copies or authority.id not in known:
            continue
        if (planned := _planned_of_crls(authority, known, made, former)) is None:
            continue
        ours, theirs = (_crl_in(folder, authority) for folder in (faulty, sound))
        if ours is not None and theirs is not None:
            unplanned |= {
                f"{authority.name}: {place}"
                for place in differing(ours, theirs)
                if not _is_planned(place, planned, _CRL_PLACES)
            }
    return unplanned


def _planned_of_crls(
    authority: Entity, known: dict[str, Entity], made: Case, former: dict[str, Entity]
) -> set[str] | None:
    entities = [one for one in (made.entity, *made.authorities) if one.certificates]
    revokes = any(
        one.revocation != former[one.id].revocation if one.id in former else one.revocation is not None
        for one in entities
        if one.certificates[0].issuer_id == authority.id
    )
    planned = planned_of_crl(known[authority.id], authority, revokes)
    return None if EVERYTHING in planned else planned


def _crl_in(folder: Path, authority: Entity) -> dict[str, str] | None:
    path = folder / authority.id / f"{authority.name}.crl"
    if not path.is_file():
        return None
    return fields_of_crl(path.read_bytes(), path.with_suffix(".crt").read_bytes())


def unplanned_in_response(made: Case, faulty: Path, sound: Path) -> set[str] | None:
    """Return the undeclared differences between the OCSP responses about a case; None if there is none."""
    if made.entity.ocsp is None:
        return None
    planned, name = planned_of_response(made), made.entity.name
    issuer = made.authorities[0]
    ours, theirs = (
        fields_of_response(
            (folder / made.entity.id / f"{name}.ocsp").read_bytes(),
            (folder / issuer.id / f"{issuer.name}.crt").read_bytes(),
        )
        for folder in (faulty, sound)
    )
    assert theirs is not None
    if ours is None:
        return set() if EVERYTHING in planned else {"unreadable"}
    return {place for place in differing(ours, theirs) if not _is_planned(place, planned, _RESPONSE_PLACES)}


def _is_planned(place: str, planned: set[str], named: Iterable[str]) -> bool:
    """Return whether a place is among the planned ones; ``named`` are all places that are no extensions."""
    if EVERYTHING in planned or place in planned:
        return True
    field, _, number = place.rpartition(" ")
    if number.isdigit():
        return field in planned or "single" in planned
    return place not in named and "extensions" in planned
