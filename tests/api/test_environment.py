"""The operations of the commands on an environment, from Python."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

import pkigen
from tests.api.test_ca import handshake
from tests.certification_requests import request
from tests.tools import ROOT

_PROFILE = {
    "name": "fleet",
    "requirements": ["web-server"],
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {}, "issuing": {"issuer": "root"}},
    "certificates": {
        "console": {"issuer": "issuing", "subject": {"CN": "console.test"}},
        "sensor-01": {"issuer": "issuing", "subject": {"CN": "sensor-01.test"}},
    },
}


@pytest.fixture(scope="module")
def environment() -> pkigen.Environment:
    return pkigen.build(_PROFILE)


def test_an_environment_without_a_directory_is_temporary() -> None:
    environment = pkigen.build(_PROFILE)
    folder = environment.folder
    assert folder.is_dir()
    assert not folder.is_relative_to(ROOT)
    del environment
    assert not folder.exists()


def test_mutual_tls_between_two_certificates(environment: pkigen.Environment) -> None:
    server = environment["console"].ssl_context(client_auth=True)
    handshake(server, environment["sensor-01"].ssl_context("client"), "console.test")


def test_a_broken_copy_is_added(environment: pkigen.Environment) -> None:
    broken = environment["sensor-01"].break_({"expired": {"by": "1h"}})
    assert (broken.name, broken.fault, broken.expected) == ("sensor-01.expired", "expired", "reject")
    with pytest.raises(ssl.SSLCertVerificationError, match="has expired"):
        handshake(broken.ssl_context(), broken.client_context(), broken.host)
    assert not broken.check().as_expected
    with pytest.raises(pkigen.InputError, match="at least one fault"):
        environment["sensor-01"].break_()


def test_a_certificate_is_revoked_and_restored(environment: pkigen.Environment) -> None:
    case = environment["console"]
    assert pkigen.verify(case, host="console.test").accepted
    case.revoke("certificateHold")
    assert case.revoked == "certificateHold"
    result = pkigen.verify(case)
    assert not result.accepted
    assert [problem.rule for problem in result.problems] == ["revoked"]
    case.unrevoke()
    assert case.revoked is None
    assert pkigen.verify(case).accepted


def test_a_request_is_signed(environment: pkigen.Environment, tmp_path: Path) -> None:
    (tmp_path / "device.csr").write_bytes(request("device.test"))
    case = environment.sign(tmp_path / "device.csr", issuer="issuing")
    assert case.name in {one.name for one in environment.cases()}
    assert case.hosts == ("device.test",)
    assert pkigen.verify(case, host="device.test").accepted
    with pytest.raises(pkigen.InputError, match="only its owner has the private key"):
        case.ssl_context()
    expired = environment.sign(request("late.test"), issuer="issuing", faults=["expired"])
    assert expired.fault == "expired"


def test_a_renewed_certificate_keeps_its_key(environment: pkigen.Environment) -> None:
    case = environment["sensor-01"]
    certificate, key = case.certificate.read_bytes(), case.key.read_bytes()
    renewed = case.renew()
    assert renewed.certificate.read_bytes() != certificate
    assert renewed.key.read_bytes() == key


def test_a_check_names_the_violated_requirements(environment: pkigen.Environment) -> None:
    case = environment["sensor-01"]
    assert case.check().as_expected
    broken = {finding.requirement.id for finding in case.check("defender-iot").broken}
    assert "subject-ou" in broken
    with pytest.raises(pkigen.InputError, match="no such requirement set"):
        case.check("defender-iott")


def test_files_of_any_origin_are_verified(environment: pkigen.Environment) -> None:
    case = environment["sensor-01"]
    assert pkigen.verify(case.certificate, chain=[case.chain], trust=[environment.trust]).accepted
    assert not pkigen.verify(str(case.certificate), chain=[case.chain], host="other.test").accepted


def test_the_catalog_is_selected_by_family() -> None:
    assert pkigen.fault_catalog("expired")[0].says.startswith("The certificate expired")
    assert {fault.family for fault in pkigen.fault_catalog("validity/*")} == {"validity"}
    assert len(pkigen.fault_catalog()) > 400
    assert {fault.stage for fault in pkigen.fault_catalog("acme/*")} == {"enrolment"}
    assert "enrolment" not in {fault.stage for fault in pkigen.fault_catalog()}
    with pytest.raises(pkigen.InputError, match="did you mean 'expired'"):
        pkigen.fault_catalog("expird")
