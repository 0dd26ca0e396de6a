"""Faults of the service: what each changes, and for which authorities it cannot be served."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pkigen.errors import InputError
from pkigen.faults import FAULTS, FaultRequest, Impossible
from pkigen.plan import plan
from pkigen.plan.service_faults import effect, service_faults
from pkigen.profile import load

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_PASSPHRASE = "its key is under a passphrase, and a server cannot sign with it"


@pytest.mark.parametrize(
    ("fault", "target", "how", "argument"),
    [
        ("aia-returns-pem", "ca", "pem", ""),
        ("aia-returns-leaf", "ca", "other", "issued"),
        ("aia-returns-404", "ca", "status", "404"),
        ("cdp-unreachable", "port", "closed", ""),
        ("crl-missing", "crl", "status", "404"),
        ("crl-http-500", "crl", "status", "500"),
        ("crl-wrong-content-type", "crl", "media-type", "text/plain"),
        ("ocsp-http-500", "ocsp", "status", "500"),
        ("ocsp-slow", "ocsp", "slow", ""),
    ],
)
def test_a_fault_of_the_service_has_a_target_and_a_behavior(
    fault: str, target: str, how: str, argument: str
) -> None:
    made = effect(FaultRequest(FAULTS[fault]))
    assert (made.target, made.how, made.argument) == (target, how, argument)
    assert (made.crl, made.ocsp) == (None, None)


@pytest.mark.parametrize("fault", ["crl-expired", "crl-v3", "crl-pem", "crl-bad-signature"])
def test_a_fault_of_a_crl_is_its_changed_plan(fault: str) -> None:
    made = effect(FaultRequest(FAULTS[fault]))
    assert (made.target, made.how, made.ocsp) == ("crl", "", None)
    assert made.crl is not None


@pytest.mark.parametrize("fault", ["ocsp-stale", "ocsp-unknown", "ocsp-delegate-expired"])
def test_a_fault_of_an_ocsp_response_is_its_changed_plan(fault: str) -> None:
    made = effect(FaultRequest(FAULTS[fault]))
    assert (made.target, made.how, made.crl) == ("ocsp", "", None)
    assert made.ocsp is not None


@pytest.mark.parametrize(
    "fault",
    ["expired", "serial-zero", "expired-intermediate", "chain-includes-root", "revoked", "crl-der-file"],
)
def test_a_fault_of_a_certificate_is_no_fault_of_the_service(fault: str) -> None:
    with pytest.raises(Impossible, match=f"'{fault}' is about a certificate, not about what is served"):
        effect(FaultRequest(FAULTS[fault]))


def test_a_fault_of_a_crl_and_an_ocsp_response_cannot_be_served() -> None:
    with pytest.raises(Impossible, match="needs a CRL and an OCSP response with a fault"):
        effect(FaultRequest(FAULTS["ocsp-delegate-revoked"]))


def test_faults_of_the_service_are_those_of_crls_ocsp_responses_and_their_urls() -> None:
    targets = service_faults()
    assert {FAULTS[one].family for one in targets} == {"access", "crl", "ocsp"}
    assert set(targets.values()) == {"ca", "crl", "ocsp", "port"}
    assert not {"expired", "serial-zero", "ocsp-must-staple-missing"} & targets.keys()


def _serving(fault: str, **authority: Any) -> Any:
    document = {
        "name": "served",
        "base_url": "http://pki.test",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": authority},
        "serving": [{"of": "root", "fault": fault}],
    }
    return plan(load(document), _NOW, None).serving


@pytest.mark.parametrize(
    ("fault", "url"),
    [
        ("crl-expired", "http://pki.test/crl/root.crl"),
        ("aia-returns-404", "http://pki.test/ca/root.crt"),
        ("ocsp-stale", "http://pki.test/ocsp"),
    ],
)
def test_a_fault_is_served_at_the_url_of_its_data(fault: str, url: str) -> None:
    (served,) = _serving(fault)
    assert (served.of, served.url, served.fault) == ("root", url, fault)


@pytest.mark.parametrize(
    ("fault", "authority", "problem"),
    [
        ("crl-http-404", {"crl": "none"}, "serving.0.of: the authority 'root' publishes no CRL"),
        (
            "crl-expired",
            {"passphrase": "secret"},
            f"serving.0.of: the authority 'root': {_PASSPHRASE}",
        ),
        (
            "ocsp-stale",
            {"passphrase": "secret"},
            f"serving.0.of: the authority 'root': {_PASSPHRASE}",
        ),
        (
            "crl-sha1",
            {"key": "ed25519"},
            "serving.0.fault: 'crl-sha1' needs another kind of key than ed25519",
        ),
        (
            "cdp-unreachable",
            {},
            "serving.0.fault: 'cdp-unreachable' is a fault of the whole server; use it at run time with",
        ),
        ("expired", {}, "serving.0.fault: 'expired' is about a certificate"),
    ],
)
def test_a_fault_that_cannot_be_served_is_an_error_at_its_key(
    fault: str, authority: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError) as caught:
        _serving(fault, **authority)
    assert str(caught.value).startswith(problem)


def test_a_fault_without_a_signature_is_served_by_an_authority_with_a_passphrase() -> None:
    assert _serving("crl-http-404", passphrase="secret")
