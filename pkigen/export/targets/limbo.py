"""x509-limbo's format, version 1: test cases for path validators.

The schema is limbo-schema.json of github.com/C2SP/x509-limbo.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Any

from pkigen.environment.environment import Case
from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.client_certificates import is_for_clients
from pkigen.export.draft import Draft, read_bytes
from pkigen.export.server_certificates import has_faulty_responses
from pkigen.export.target import target
from pkigen.formats import pem
from pkigen.inspection.artifacts import Artifact, Kind, read
from pkigen.inspection.path import validate
from pkigen.matrix import MatrixCase, cases_of
from pkigen.matrix.limbo import NO_FAULT
from pkigen.serve.tls.credential import UNOFFERED_SCHEME, handshake_faults
from pkigen.x509 import Certificate, Malformed

_VERSION = 1
_RESULTS = {"accept": "SUCCESS", "reject": "FAILURE"}
_FEATURES = {
    "has-policy-constraints": "pol-*-unmet",
    "has-cert-policies": "pol-mapping-*",
    "name-constraint-dn": "nc-dn-*",
    "denial-of-service": "*-dos",
}
"""Optional features of the format, and a pattern of the faults that need them."""
_PEER_KINDS = {"dns": "DNS", "ip": "IP", "email": "RFC822"}
_OUTSIDE_ID = re.compile(r"[^A-Za-z0-9.-]")


@target(start="limbo harness --limbo limbo.json HARNESS")
def limbo(draft: Draft) -> None:
    """limbo.json: the cases in the format of x509-limbo, for its harnesses"""
    presented = {one.name: one for one in cases_of(draft.given.environment)}

    def detectable(files: CaseFiles) -> None:
        _check_crls(files, presented[files.case.name])

    testcases = [
        _testcase(draft, one, presented[one.case.name])
        for one in exportable_cases(draft, _check_purpose, _expressible, detectable)
    ]
    document = {"version": _VERSION, "testcases": testcases}
    draft.add("limbo.json", json.dumps(document, indent=1).encode() + b"\n")


def _check_purpose(files: CaseFiles) -> None:
    """Raise NotExportable if neither a TLS server nor a TLS client can use the certificate."""
    if files.case.is_for_servers:
        return
    if not is_for_clients(files):
        raise NotExportable("its extended key usage permits neither TLS servers nor TLS clients")
    if files.case.expected == "reject" and files.case.stage == "name":
        raise NotExportable("its fault is in its host name, which servers do not compare")


def _expressible(files: CaseFiles) -> None:
    """Raise NotExportable if the format cannot express the case."""
    data = files.case.data
    expected, stage = data["verdict"]["expected"], data["verdict"]["stage"]
    if set(handshake_faults(files.case)) - {UNOFFERED_SCHEME}:
        raise NotExportable("its fault is in the TLS handshake, which the format cannot express")
    if has_faulty_responses(files.case):
        raise NotExportable("its fault is in a server's responses, which the format cannot express")
    if stage == "file" and expected != "accept":
        raise NotExportable("its fault is in the encoding of a file, which the format cannot express")
    if expected not in _RESULTS:
        raise NotExportable("validators differ, and the format requires one expected result")
    if [one.kind for one in _blocks(files.certificate)] != [Kind.CERTIFICATE]:
        raise NotExportable("its file is not one certificate in PEM")
    if files.chain and any(one.kind is not Kind.CERTIFICATE for one in _blocks(files.chain)):
        raise NotExportable("its chain is not certificates in PEM")


def _check_crls(files: CaseFiles, presented: MatrixCase) -> None:
    """Raise NotExportable if the CRLs of the case do not show its fault, such as one of a CRL's URL."""
    if files.case.expected != "reject" or files.case.stage != "revocation":
        return
    (leaf,), above, anchors, crls = (
        [artifact for data in contents for artifact in read(data, "")]
        for contents in (
            [files.certificate],
            [files.chain] if files.chain else [],
            map(read_bytes, presented.anchors),
            map(read_bytes, presented.crls),
        )
    )
    if leaf.certificate is None:
        return
    result = validate(
        leaf.certificate,
        [one.certificate for one in above if one.certificate is not None],
        [one.certificate for one in anchors if one.certificate is not None],
        at=_time(files.case, presented),
        crls=[one.crl for one in crls if one.crl is not None],
        check_crls=True,
    )
    if result.ok:
        raise NotExportable(
            "clients see its fault when they download the CRL, which the format cannot express"
        )


def _blocks(data: bytes) -> list[Artifact]:
    """Return the decodable PEM blocks; none for other formats."""
    return [one for one in read(data, "") if one.source.label and one.der]


def _testcase(draft: Draft, files: CaseFiles, presented: MatrixCase) -> dict[str, Any]:
    case = files.case
    draft.exported.append(case.name)
    crls = list(_crls(presented)) if case.stage == "revocation" else []
    fault = case.data.get("fault")
    server = case.is_for_servers
    return {
        "id": _id(draft.given.environment.name, case.name),
        "conflicts_with": [],
        "features": _features(fault, with_crls=bool(crls)),
        "importance": "undetermined",
        "description": _description(case, fault),
        "validation_kind": "SERVER" if server else "CLIENT",
        "trusted_certs": [_pem(one) for path in presented.anchors for one in _blocks(read_bytes(path))],
        "untrusted_intermediates": [_pem(one) for one in _blocks(files.chain)],
        "peer_certificate": _pem(_blocks(files.certificate)[0]),
        "peer_certificate_key": None,  # path validation needs no key, and these files are often shared
        "validation_time": _time(case, presented).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "signature_algorithms": [],
        "key_usage": [],
        "extended_key_usage": ["serverAuth" if server else "clientAuth"],
        "expected_result": _RESULTS[case.expected],
        "expected_peer_name": _peer_name(presented.host) if server else None,
        "expected_peer_names": [] if server else list(_peer_names(files)),
        "max_chain_depth": None,
        "crls": crls,
    }


def _id(environment: str, name: str) -> str:
    """Return an ID of two parts; each begins with a letter and has at least two characters."""
    parts = (_OUTSIDE_ID.sub("-", part) for part in (environment, name))
    return "::".join(part if part[0].isalpha() and len(part) > 1 else f"case-{part}" for part in parts)


def _description(case: Case, fault: dict[str, Any] | None) -> str:
    says, label = f"{case.name}.", NO_FAULT
    if fault:
        says, label = fault["says"], f"{fault['id']}, {fault['clause']}"
    elif case.reason:
        says = f"{case.name}: {case.reason}."
    # subjects_of_limbo reads what is in the parentheses.
    return f"{says} ({label}; stage: {case.stage})" if case.stage else f"{says} ({label})"


def _time(case: Case, presented: MatrixCase) -> datetime:
    """Return the time of the verdict in whole seconds: of a revocation, after the second that it is in."""
    at = case.data["verdict"].get("at")
    if at:
        return datetime.fromisoformat(at)
    second = presented.at.replace(microsecond=0)
    return second + timedelta(seconds=1) if case.stage == "revocation" else second


def _features(fault: dict[str, Any] | None, *, with_crls: bool) -> list[str]:
    """Return the optional features that a validator needs for a case."""
    own_id = fault["id"] if fault else ""
    features = [name for name, faults in _FEATURES.items() if fnmatchcase(own_id, faults)]
    return [*features, "has-crl"] if with_crls else features


def _peer_names(files: CaseFiles) -> Iterator[dict[str, str]]:
    """Return the names of a client: its DNS names, addresses and email addresses."""
    try:
        alternative_names = Certificate(_blocks(files.certificate)[0].der).extensions.alternative_names
    except Malformed:
        return
    for name in alternative_names or ():
        if name.kind in _PEER_KINDS:
            yield {"kind": _PEER_KINDS[name.kind], "value": name.value}


def _peer_name(host: str | None) -> dict[str, str] | None:
    if host is None:
        return None
    try:
        ip_address(host)
    except ValueError:
        return {"kind": "DNS", "value": host}
    return {"kind": "IP", "value": host}


def _crls(presented: MatrixCase) -> Iterator[str]:
    return (pem.encode(pem.CRL, read_bytes(path)).decode("ascii") for path in presented.crls)


def _pem(artifact: Artifact) -> str:
    return pem.certificate(artifact.der).decode("ascii")
