"""Two certificates that are wrong only together: each can be asked for by a host name of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.inspection.artifacts import read_path
from pkigen.serve.tls.case_selection import CasesByHost
from tests.faults.conftest import PROFILE, is_twin
from tests.tools import run

_WITH_TWIN = ("serial-duplicate", "key-rsa-shared-factor")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    negatives = [{"of": "sensor", "faults": list(_WITH_TWIN)}]
    return build({**PROFILE, "negatives": negatives}, tmp_path_factory.mktemp("twins"))


def test_the_two_have_the_same_fault_and_no_common_host(environment: Environment) -> None:
    hosts = [host for case in environment.cases() for host in case.hosts]
    assert len(hosts) == len(set(hosts)) == 1 + 2 * len(_WITH_TWIN)
    twins = {case.name: case.data["fault"]["id"] for case in environment.cases() if is_twin(case.name)}
    assert twins == {f"sensor.{fault}.twin": fault for fault in _WITH_TWIN}


def test_a_server_presents_either_by_its_host(environment: Environment) -> None:
    presented = CasesByHost.of(list(environment.cases()))
    for case in environment.cases():
        assert presented.find(case.hosts[0], "127.0.0.1").name == case.name


@pytest.mark.needs("openssl")
def test_the_host_of_a_twin_is_in_its_certificate(environment: Environment) -> None:
    for fault in _WITH_TWIN:
        case = environment[f"sensor.{fault}.twin"]
        assert case.hosts == (f"{fault}-twin.sensor.contoso.test",)
        output = run("openssl", "x509", "-noout", "-checkhost", case.hosts[0], "-in", case.certificate)
        assert "does match certificate" in output


def test_a_certificate_with_its_own_fault_keeps_its_host_and_its_twin_has_another(
    tmp_path: Path,
) -> None:
    sensor = {**PROFILE["certificates"]["sensor"], "faults": ["serial-duplicate"]}
    built = build({**PROFILE, "negatives": [], "certificates": {"sensor": sensor}}, tmp_path)
    assert {case.name: case.hosts for case in built.cases()} == {
        "sensor": ("sensor.contoso.test",),
        "sensor.twin": ("serial-duplicate-twin.sensor.contoso.test",),
    }


def test_a_self_signed_twin_is_its_own_issuer(tmp_path: Path) -> None:
    sensor = {**PROFILE["certificates"]["sensor"], "issuer": "self"}
    negatives = [{"of": "sensor", "faults": ["key-rsa-shared-factor"]}]
    built = build({**PROFILE, "negatives": negatives, "certificates": {"sensor": sensor}}, tmp_path)
    twin = built["sensor.key-rsa-shared-factor.twin"]
    (read,) = (artifact.certificate for artifact in read_path(twin.certificate))
    assert read is not None
    assert read.issuer == read.subject
    assert "key-rsa-shared-factor-twin" in twin.data["subject"]
