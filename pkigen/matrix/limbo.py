"""Cases of an x509-limbo file (format version 1), written to files for validators."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pkigen.errors import InputError
from pkigen.inspection.artifacts import read
from pkigen.matrix.cases import Subject
from pkigen.matrix.validator import MatrixCase
from pkigen.os_errors import os_error_reason

_EXPECTED: dict[str, Literal["accept", "reject"]] = {"SUCCESS": "accept", "FAILURE": "reject"}

_WITH_CRLS = "has-crl"
NO_FAULT = "no fault"
_CLAUSE = r"(?:[^()]|\([^()]*\))*?"
_LABEL = re.compile(
    rf" \((?:{NO_FAULT}|(?P<fault>[a-z0-9][a-z0-9.+-]*), {_CLAUSE})(?:; stage: (?P<stage>[a-z]+))?\)$"
)
"""What ``pkigen export`` writes at the end of a description: the fault, its clause and the stage."""
_PEM = re.compile(r"-----BEGIN X509 CRL-----(.*?)-----END", re.DOTALL)


class _Peer(BaseModel):
    kind: str
    value: str


class _Case(BaseModel):
    """The fields of a test case that are used; others are ignored."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(pattern=r"^[A-Za-z0-9_:.+-]+$")
    features: list[str] | None = None
    description: str = ""
    validation_kind: str
    trusted_certs: list[str]
    untrusted_intermediates: list[str] = []
    peer_certificate: str
    validation_time: datetime | None = None
    expected_result: Literal["SUCCESS", "FAILURE"]
    expected_peer_name: _Peer | None = None
    crls: list[str] = []


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    version: Literal[1]
    testcases: list[_Case]


def subjects_of_limbo(source: Path, folder: Path) -> tuple[tuple[Subject, ...], int]:
    """Return the servers of a file, with files below ``folder``, and the number of skipped cases.

    Clients are skipped, and servers whose name is neither a DNS name nor an address. Cases with an optional
    feature are expected to vary, as the format requires. Raises InputError for another format.
    """
    try:
        data: Any = json.loads(source.read_bytes())
        document = _File.model_validate(data)
    except OSError as error:
        raise InputError(f"{source}: {os_error_reason(error)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the document"
        raise InputError(f"{source} is no limbo file of version 1: {place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not JSON") from error
    servers = [one for one in document.testcases if _is_server(one)]
    now = datetime.now(UTC).replace(microsecond=0)
    subjects = tuple(_subject(one, folder / f"{number}", now) for number, one in enumerate(servers))
    return subjects, len(document.testcases) - len(servers)


def _is_server(case: _Case) -> bool:
    peer = case.expected_peer_name
    return case.validation_kind == "SERVER" and (peer is None or peer.kind in ("DNS", "IP"))


def _subject(case: _Case, folder: Path, now: datetime) -> Subject:
    """Return one server; the description states the fault if ``pkigen export`` wrote the file."""
    folder.mkdir()
    fault, stage = _fault(case)

    def written(name: str, texts: Sequence[str]) -> Path:
        path = folder / name
        path.write_text("\n".join(texts), encoding="utf-8")
        return path

    peer = case.expected_peer_name
    at = case.validation_time or now
    made = MatrixCase(
        name=case.id,
        certificate=written("peer.crt", [case.peer_certificate]),
        chain=written("chain.pem", case.untrusted_intermediates) if case.untrusted_intermediates else None,
        key=None,  # Expected results are those of path validation.
        pkcs12=None,
        passphrase=None,
        anchors=(written("trust.pem", case.trusted_certs),),
        crls=tuple(_crl(folder / f"{number}.crl", crl) for number, crl in enumerate(case.crls)),
        host=peer.value if peer else None,
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        partial_chain=any(map(_is_not_self_issued, case.trusted_certs)),
    )
    return Subject(
        made,
        _expected(case),
        "crl" if case.crls else "host" if stage == "name" else "path",
        fault=fault,
        family=case.id.rpartition("::")[0],
        says=" ".join(case.description.split()),
        revocation=bool(case.crls),
    )


def _fault(case: _Case) -> tuple[str, str]:
    """Return the ID of the fault, or else that of the case, and the stage that detects it; "" for none."""
    label = _LABEL.search(" ".join(case.description.split()))
    if label is None:
        return case.id, ""
    return label["fault"] or "", label["stage"] or ""


def _is_not_self_issued(text: str) -> bool:
    certificates = (one.certificate for one in read(text.encode(), "the trust anchor"))
    return any(one is not None and not one.is_self_issued for one in certificates)


def _expected(case: _Case) -> Literal["accept", "reject", "varies"]:
    """The case need not have CRLs of all CAs; validators that require all may reject it."""
    optional = {*(case.features or ())} - {_WITH_CRLS}
    if optional or (case.crls and case.expected_result == "SUCCESS"):
        return "varies"
    return _EXPECTED[case.expected_result]


def _crl(path: Path, text: str) -> Path:
    """Convert a CRL from PEM to DER; other data are written unmodified."""
    block = _PEM.search(text)
    try:
        path.write_bytes(base64.b64decode(block[1], validate=False) if block else text.encode())
    except binascii.Error:
        path.write_text(text, encoding="utf-8")
    return path
