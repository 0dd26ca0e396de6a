"""Clients receive the bytes of the files unmodified."""

from __future__ import annotations

from hashlib import sha256

import pytest

from pkigen.environment.environment import Case
from pkigen.inspection.artifacts import Kind, read
from pkigen.serve.tls.credential import certificates_in
from tests.serve.conftest import AS_ISSUED, Endpoints
from tests.serve.tls_clients import presented

pytestmark = pytest.mark.needs("openssl")


def _in_file(case: Case, kind: str) -> list[bytes]:
    artifacts = read(case.file(kind).read_bytes(), kind)
    return [one.der for one in artifacts if one.kind is Kind.CERTIFICATE and one.der]


@pytest.mark.parametrize("fault", ["sound", *AS_ISSUED])
def test_the_certificate_is_sent_unmodified(endpoints: Endpoints, fault: str) -> None:
    case = endpoints.case(fault)
    assert sha256(presented(endpoints, endpoints.host(fault))[0]).hexdigest() == case.data["sha256"]


@pytest.mark.parametrize("fault", ["sound", "expired", "der-truncated", "key-rsa-512", "san-malformed"])
def test_the_certificate_is_sent_unmodified_over_tls_1_2(endpoints: Endpoints, fault: str) -> None:
    case = endpoints.case(fault)
    options = ("-tls1_2", "-cipher", "ALL:@SECLEVEL=0")
    assert sha256(presented(endpoints, endpoints.host(fault), *options)[0]).hexdigest() == case.data["sha256"]


@pytest.mark.parametrize("name", ["sensor", "console"])
def test_the_chain_is_sent_without_its_root(endpoints: Endpoints, name: str) -> None:
    case = endpoints.environment[name]
    expected = _in_file(case, "certificate") + _in_file(case, "chain")[:-1]
    assert len(expected) == 2
    assert presented(endpoints, case.hosts[0]) == expected


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        ("chain-includes-root", None),
        ("chain-reversed", None),
        ("chain-duplicate-intermediate", -1),
        ("chain-missing-intermediate", -1),
        ("chain-key-in-chain-file", -1),
        ("chain-second-block-corrupt", None),
    ],
)
def test_a_changed_chain_file_is_sent(endpoints: Endpoints, fault: str, count: int | None) -> None:
    case = endpoints.case(fault)
    expected = _in_file(case, "certificate") + _in_file(case, "chain")[:count]
    assert presented(endpoints, endpoints.host(fault)) == expected


def test_a_certificate_file_is_sent_in_its_order(endpoints: Endpoints) -> None:
    case = endpoints.case("chain-file-leaf-not-first")
    certificates = presented(endpoints, case.hosts[0])
    assert certificates[:2] == _in_file(case, "certificate")
    assert sha256(certificates[1]).hexdigest() == case.data["sha256"]


@pytest.mark.parametrize("fault", ["pem-html-body", "pem-bad-base64"])
def test_a_file_without_a_certificate_is_sent_unmodified(endpoints: Endpoints, fault: str) -> None:
    case = endpoints.case(fault)
    assert presented(endpoints, case.hosts[0])[0] == case.certificate.read_bytes()


def test_an_empty_file_sends_an_empty_list(endpoints: Endpoints) -> None:
    assert presented(endpoints, endpoints.host("pem-empty-file")) == []


def test_no_key_is_ever_sent(endpoints: Endpoints) -> None:
    for case in endpoints.environment.cases():
        key = case.key.read_bytes()
        if b"PRIVATE KEY" not in key:
            continue
        together = certificates_in(case.certificate.read_bytes() + key, "both")
        assert together == certificates_in(case.certificate.read_bytes(), "alone") or together == ()
        assert certificates_in(key, "a key") == ()
        assert certificates_in(key.decode().encode("utf-16"), "a key") == ()
        for artefact in read(key, "a key"):
            assert certificates_in(artefact.der, "a key") == () or not artefact.der


def test_a_case_is_selected_by_host_wildcard_and_name(
    endpoints: Endpoints,
) -> None:
    names = {case.name: case.data["sha256"] for case in endpoints.environment.cases()}
    for requested_name, address, name in [
        ("SENSOR.Contoso.Test", "127.0.0.1", "sensor"),
        ("left.edge.contoso.test", "127.0.0.1", "edge"),
        ("far.left.edge.contoso.test", "127.0.0.1", "sensor"),
        ("console.contoso.test", "127.0.0.1", "console"),
        ("gateway", "127.0.0.1", "gateway"),
        ("sensor.expired", "127.0.0.1", "sensor.expired"),
        ("unknown.test", "127.0.0.1", "sensor"),
        (None, "127.0.0.1", "sensor"),
    ]:
        assert sha256(presented(endpoints, requested_name, address=address)[0]).hexdigest() == names[name], (
            requested_name
        )
