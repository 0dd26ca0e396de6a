"""x509-limbo's format, version 1: testcases for validators of certification paths.

Its schema is limbo-schema.json of github.com/C2SP/x509-limbo.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from pkigen.environment.environment import Case
from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.draft import Draft, read_bytes
from pkigen.export.target import target
from pkigen.formats import pem
from pkigen.inspection.artifacts import Artefact, Kind, read
from pkigen.matrix import MatrixCase, cases_of
from pkigen.serve.tls.credential import handshake_ways

_VERSION = 1
_RESULTS = {"accept": "SUCCESS", "reject": "FAILURE"}
_OUTSIDE_ID = re.compile(r"[^A-Za-z0-9.-]")


@target(start="limbo harness --limbo limbo.json HARNESS")
def limbo(draft: Draft) -> None:
    """limbo.json: the cases in the format of x509-limbo, for its harnesses"""
    presented = {one.name: one for one in cases_of(draft.given.environment)}
    testcases = [
        _testcase(draft, one, presented[one.case.name]) for one in exportable_cases(draft, _expressible)
    ]
    document = {"version": _VERSION, "testcases": testcases}
    draft.add("limbo.json", json.dumps(document, indent=1).encode() + b"\n")


def _expressible(found: CaseFiles) -> None:
    """Unfit for what a testcase has no word for."""
    data = found.case.data
    expected, stage = data["verdict"]["expected"], data["verdict"]["stage"]
    if handshake_ways(found.case):
        raise NotExportable("it is about the handshake, which a testcase does not have")
    if data.get("serving") or data.get("ocsp"):
        raise NotExportable("it is about what a server answers, which a testcase does not have")
    if stage == "file" and expected != "accept":
        raise NotExportable("it is about the form of a file, which a testcase does not have")
    if expected not in _RESULTS:
        raise NotExportable("validators differ on it, and a testcase has one result")
    if [one.kind for one in _blocks(found.certificate)] != [Kind.CERTIFICATE]:
        raise NotExportable("its file is not one certificate in PEM")
    if found.chain and any(one.kind is not Kind.CERTIFICATE for one in _blocks(found.chain)):
        raise NotExportable("its chain is not certificates in PEM")


def _blocks(data: bytes) -> list[Artefact]:
    """What stands in PEM with octets that can be had; nothing of other files."""
    return [one for one in read(data, "") if one.source.label and one.der]


def _testcase(draft: Draft, found: CaseFiles, presented: MatrixCase) -> dict[str, Any]:
    case = found.case
    draft.exported.append(case.name)
    crls = list(_crls(presented)) if case.stage == "revocation" else []
    fault = case.data.get("fault")
    return {
        "id": _id(draft.given.environment.name, case.name),
        "conflicts_with": [],
        "features": ["has-crl"] if crls else [],
        "importance": "undetermined",
        "description": _description(case, fault),
        "validation_kind": "SERVER",
        "trusted_certs": [_pem(one) for path in presented.anchors for one in _blocks(read_bytes(path))],
        "untrusted_intermediates": [_pem(one) for one in _blocks(found.chain)],
        "peer_certificate": _pem(_blocks(found.certificate)[0]),
        "peer_certificate_key": None,  # what validates a path needs none, and such files get around
        "validation_time": _time(case, presented),
        "signature_algorithms": [],
        "key_usage": [],
        "extended_key_usage": ["serverAuth"],
        "expected_result": _RESULTS[case.expected],
        "expected_peer_name": _peer_name(presented.host),
        "expected_peer_names": [],
        "max_chain_depth": None,
        "crls": crls,
    }


def _id(environment: str, name: str) -> str:
    """Two parts, each of which begins with a letter and has another character at least."""
    parts = (_OUTSIDE_ID.sub("-", part) for part in (environment, name))
    return "::".join(part if part[0].isalpha() and len(part) > 1 else f"case-{part}" for part in parts)


def _description(case: Case, fault: dict[str, Any] | None) -> str:
    if fault:
        return f"{fault['says']} ({fault['id']}, {fault['clause']})"
    return f"{case.name}: {case.reason or 'nothing is wrong with it.'}"


def _time(case: Case, presented: MatrixCase) -> str:
    at = case.data["verdict"].get("at")
    return (datetime.fromisoformat(at) if at else presented.at).strftime("%Y-%m-%dT%H:%M:%SZ")


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


def _pem(found: Artefact) -> str:
    return pem.certificate(found.der).decode("ascii")
