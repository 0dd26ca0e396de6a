"""Demands on certification requests: in the check of request files, and when a request is signed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.environment.build.build import build
from pkigen.environment.enrol import Rejected
from pkigen.environment.sign import sign
from pkigen.profile import load
from pkigen.requirements import CheckInput
from pkigen.requirements.demands import KINDS
from pkigen.requirements.outcome import Status
from pkigen.x509 import CertificationRequest
from tests.certification_requests import request
from tests.tools import run

_SUBJECT = "/CN=device.contoso.test"
_SET = """
name: device
title: Requests of devices
source: {title: the test, date: 2026-01-01}
requirements:
  - id: challenge
    level: rejected
    says: The request contains a challenge password.
    demand: {certification_request: {attributes: [challengePassword], signed: true}}
"""


def _status(parameters: dict[str, Any], data: bytes) -> Status:
    subject = CheckInput(now=datetime.now(UTC), request=CertificationRequest(data), requested=True)
    return KINDS["certification_request"].model_validate(parameters).check(subject).status


def _by_openssl(folder: Path, attributes: str = "") -> bytes:
    """A request by openssl with attributes of its own."""
    section = "attributes = more\n" if attributes else ""
    (folder / "req.cnf").write_text(
        f"[req]\nprompt = no\ndistinguished_name = dn\n{section}[dn]\nCN = device.contoso.test\n"
        f"[more]\n{attributes}\n"
    )
    new = ("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    run(*new, "-keyout", "k", "-out", "r.der", "-outform", "DER", "-config", "req.cnf", cwd=folder)
    return (folder / "r.der").read_bytes()


@pytest.mark.parametrize(
    ("parameters", "challenge", "plain"),
    [
        ({"attributes": ["challengePassword"]}, Status.PASS, Status.FAIL),
        ({"attributes": ["1.2.840.113549.1.9.7"]}, Status.PASS, Status.FAIL),
        ({"forbidden_attributes": ["challengePassword"]}, Status.FAIL, Status.PASS),
        ({"attributes": ["unstructuredName"]}, Status.FAIL, Status.FAIL),
        ({"signed": True}, Status.PASS, Status.PASS),
    ],
)
def test_attributes_that_openssl_writes_are_read(
    tmp_path: Path, parameters: dict[str, Any], challenge: Status, plain: Status
) -> None:
    assert _status(parameters, _by_openssl(tmp_path, "challengePassword = secret word")) is challenge
    assert _status(parameters, _by_openssl(tmp_path)) is plain


def test_the_sizes_and_the_requested_extensions_have_exact_limits() -> None:
    data = request("d.test", ["d.test"], encoding=Encoding.DER)
    assert _status({"maximum_bytes": len(data)}, data) is Status.PASS
    assert _status({"maximum_bytes": len(data) - 1}, data) is Status.FAIL
    pem = request("d.test", ["d.test"])
    written = CertificationRequest(data)
    assert abs(len(pem) - len(data) * 4 / 3) < 100
    for difference, status in ((0, Status.PASS), (-1, Status.FAIL)):
        characters = -(-len(written.der) // 3) * 4
        characters += -(-characters // 64) + len("-----BEGIN CERTIFICATE REQUEST-----\n") * 2 - 2
        assert _status({"maximum_characters": characters + difference}, data) is status
    assert _status({"extensions": ["subject_alternative_name"]}, data) is Status.PASS
    assert _status({"extensions": ["key_usage"]}, data) is Status.FAIL


def test_a_forged_request_is_not_signed() -> None:
    data = bytearray(request(encoding=Encoding.DER))
    data[-1] ^= 1
    assert _status({"signed": True}, bytes(data)) is Status.FAIL


@pytest.mark.parametrize("parameters", [{}, {"attributes": ["password"]}, {"signed": False}])
def test_wrong_parameters_are_errors(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no condition given|no such attribute of a request"):
        KINDS["certification_request"].model_validate(parameters)


def test_a_request_that_violates_the_set_of_its_template_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "device.yaml").write_text(_SET)
    (tmp_path / "lab.yaml").write_text(
        "name: lab\nauthorities: {root: {}}\n"
        "enrolment: {devices: {issuer: root, requirements: [device.yaml]}}"
    )
    folder = build(load(tmp_path / "lab.yaml"), tmp_path / "out").folder
    with pytest.raises(Rejected, match=r"The request contains a challenge password\. \(challenge;"):
        sign(folder, _by_openssl(tmp_path), template="devices")
    good = _by_openssl(tmp_path, "challengePassword = secret word")
    assert sign(folder, good, template="devices").name == "device.contoso.test"
