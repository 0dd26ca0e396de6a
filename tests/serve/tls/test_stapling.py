"""Stapled OCSP responses agree with what the environment's responder returns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.ocsp import OCSPCertStatus, load_der_ocsp_response

from pkigen import build
from pkigen.serve.control.runtime_faults import RuntimeFaults
from pkigen.serve.faults.rules import ServiceFault, parse_service_fault, rule_of
from pkigen.serve.tls.case_selection import CaseSelector

PROFILE: dict[str, Any] = {
    "name": "staples",
    "base_url": "http://pki.test",
    "defaults": {"key": "ec-p256"},
    "authorities": {
        "root": {},
        "issuing": {"issuer": "root", "ocsp": {}},
        "other": {"issuer": "root", "ocsp": {}},
    },
    "certificates": {
        "sensor": {"issuer": "issuing", "subject": {"CN": "sensor.test"}},
        "meter": {"issuer": "other", "subject": {"CN": "meter.test"}},
    },
}


def _status(selector: CaseSelector, host: str) -> OCSPCertStatus | None:
    staple = selector.present("127.0.0.1", host).staple
    return None if staple is None else load_der_ocsp_response(staple).certificate_status


def _selector(profile: dict[str, Any], folder: Path) -> CaseSelector:
    return CaseSelector(build(profile, folder).folder)


@pytest.mark.parametrize("fault", ["ocsp-http-404", "ocsp-http-500", "ocsp-slow"])
def test_a_server_that_cannot_reach_the_responder_staples_nothing(tmp_path: Path, fault: str) -> None:
    selector = _selector(
        {**PROFILE, "negatives": [{"of": "sensor", "faults": [fault, "ocsp-revoked"]}]}, tmp_path
    )
    assert _status(selector, f"{fault}.sensor.test") is None
    assert _status(selector, "ocsp-revoked.sensor.test") is OCSPCertStatus.REVOKED
    assert _status(selector, "sensor.test") is OCSPCertStatus.GOOD


@pytest.mark.parametrize(
    ("fault", "status"),
    [("ocsp-http-404", None), ("ocsp-empty", None), ("ocsp-revoked", OCSPCertStatus.REVOKED)],
)
def test_a_fault_of_the_service_shows_over_tls(
    tmp_path: Path, fault: str, status: OCSPCertStatus | None
) -> None:
    selector = _selector({**PROFILE, "serving": [{"of": "issuing", "fault": fault}]}, tmp_path)
    assert _status(selector, "sensor.test") is status
    assert _status(selector, "meter.test") is OCSPCertStatus.GOOD


@pytest.mark.parametrize(
    ("change", "sensor", "meter"),
    [
        (lambda live: live.put("ocsp-http-500", of="issuing"), None, OCSPCertStatus.GOOD),
        (lambda live: live.put("ocsp-http-500", url="/ocsp"), None, None),
        (lambda live: live.put("ocsp-unknown", of="issuing"), OCSPCertStatus.UNKNOWN, OCSPCertStatus.GOOD),
        (lambda live: live.put("crl-http-500", of="issuing"), OCSPCertStatus.GOOD, OCSPCertStatus.GOOD),
    ],
    ids=["of an authority", "at the URL", "signed", "of a CRL"],
)
def test_a_fault_at_run_time_shows_over_tls(
    tmp_path: Path,
    change: Callable[[RuntimeFaults], object],
    sensor: OCSPCertStatus | None,
    meter: OCSPCertStatus | None,
) -> None:
    folder = build(PROFILE, tmp_path).folder
    live = RuntimeFaults(folder)
    selector = CaseSelector(folder, (), lambda: datetime.now(UTC), lambda: live.rules)
    change(live)
    assert (_status(selector, "sensor.test"), _status(selector, "meter.test")) == (sensor, meter)
    live.clear()
    assert _status(selector, "sensor.test") is OCSPCertStatus.GOOD


def test_a_closed_port_returns_nothing_to_staple(tmp_path: Path) -> None:
    environment = build(PROFILE, tmp_path)
    closed = rule_of(
        environment.folder, environment.manifest, ServiceFault(parse_service_fault("cdp-unreachable"))
    )
    assert _status(CaseSelector(environment.folder), "sensor.test") is OCSPCertStatus.GOOD
    assert _status(CaseSelector(environment.folder, live_rules=lambda: (closed,)), "sensor.test") is None
