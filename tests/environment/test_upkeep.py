"""CRLs and OCSP responses are refreshed while an environment is served."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.ocsp import OCSPResponse, load_der_ocsp_response

from pkigen.environment.build.build import build
from pkigen.environment.crl.upkeep import Upkeep
from pkigen.environment.revoke import revoke
from pkigen.profile import load

_FAULTS = ("crl-expired", "crl-not-yet-valid", "ocsp-good", "ocsp-stale")


@pytest.fixture
def env(tmp_path: Path) -> Path:
    document = {
        "name": "env",
        "defaults": {"key": "ec-p256"},
        "authorities": {
            "root": {"crl": {"valid": "30d"}},
            "issuing": {"issuer": "root", "crl": {"valid": "8d", "delta": "8h"}},
            "closed": {"issuer": "root", "passphrase": "open sesame", "crl": {"valid": "1d"}},
        },
        "certificates": {"host": {"issuer": "issuing"}, "other": {"issuer": "issuing"}},
        "negatives": [
            {"of": "host", "faults": ["crl-expired", "crl-not-yet-valid", "ocsp-good", "ocsp-stale"]}
        ],
    }
    path = tmp_path / "env.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return build(load(path), tmp_path).folder


class _Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


def _run(env: Path, **ahead: int) -> tuple[set[str], list[str]]:
    """Return the authorities whose CRL is published after some time, and the reported messages."""
    clock, reported = _Clock(), list[str]()
    upkeep = Upkeep(env, clock, reported.append)
    clock.now += timedelta(**ahead)
    return {crl.authority for crl in upkeep.run()}, reported


def _crl(env: Path, path: str) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl((env / "www" / "crl" / path).read_bytes())


def test_nothing_is_published_while_crls_are_fresh(env: Path) -> None:
    assert _run(env, hours=5) == (set(), [])


def test_a_crl_is_refreshed_before_it_expires(env: Path) -> None:
    before = _crl(env, "issuing.crl")
    published, _ = _run(env, days=6, hours=1)
    after = _crl(env, "issuing.crl")
    assert published == {"issuing"}
    assert before.next_update_utc is not None
    assert before.last_update_utc < after.last_update_utc < before.next_update_utc


def test_a_refreshed_delta_crl_keeps_its_base(env: Path) -> None:
    base = _crl(env, "issuing/base.crl")
    revoke(env, ["host"])
    published, _ = _run(env, hours=7)
    delta = _crl(env, "issuing/delta.crl")
    assert published == {"issuing"}
    assert _crl(env, "issuing/base.crl") == base
    assert len(delta) == 1
    assert delta.last_update_utc > datetime.now(UTC) + timedelta(hours=6)


def test_a_crl_with_a_time_fault_keeps_its_fault(env: Path) -> None:
    wrong = list(env.glob("www/crl/*host.crl-*.crl"))
    assert len(wrong) == 2
    before = {path: path.read_bytes() for path in wrong}
    _run(env, days=6, hours=1)
    expired = next(path for path in wrong if "expired" in path.name)
    assert expired.read_bytes() == before[expired]


def test_a_refreshed_crl_lists_the_revocations_of_commands(env: Path) -> None:
    clock = _Clock()
    upkeep = Upkeep(env, clock, list[str]().append)
    assert upkeep.run() == []
    revoke(env, ["host"])
    clock.now += timedelta(days=7)
    upkeep.run()
    assert len(_crl(env, "issuing.crl")) == 1


def test_an_encrypted_key_is_reported_once_and_does_not_stop_the_others(env: Path) -> None:
    clock, reported = _Clock(), list[str]()
    upkeep = Upkeep(env, clock, reported.append)
    clock.now += timedelta(days=29)
    assert {crl.authority for crl in upkeep.run()} >= {"root", "issuing"}
    assert upkeep.run() == []
    assert len(reported) == 1
    assert "closed" in reported[0]
    assert "sesame" not in reported[0]


def test_a_clock_in_the_past_gets_crls_for_its_time(env: Path) -> None:
    clock = _Clock()
    clock.now -= timedelta(days=100)
    Upkeep(env, clock, list[str]().append).run()
    assert _crl(env, "issuing.crl").last_update_utc == clock.now.replace(microsecond=0)


def _answer(env: Path, name: str) -> OCSPResponse:
    return load_der_ocsp_response((env / "certificates" / name / f"{name}.ocsp").read_bytes())


def test_an_ocsp_response_is_refreshed_unless_it_must_be_expired(env: Path) -> None:
    before, old = _answer(env, "host.ocsp-good"), _answer(env, "host.ocsp-stale").this_update_utc
    _run(env, days=6, hours=1)
    after = _answer(env, "host.ocsp-good")
    assert after.this_update_utc > before.this_update_utc
    assert after.certificate_status == before.certificate_status
    assert _answer(env, "host.ocsp-stale").this_update_utc == old
    manifest = json.loads((env / "manifest.json").read_bytes())
    case = next(case for case in manifest["cases"] if case["name"] == "host.ocsp-good")
    assert datetime.fromisoformat(case["ocsp"]["this_update"]) == after.this_update_utc
