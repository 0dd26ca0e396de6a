"""Commands and servers at the first and the last dates that certificates can express."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from pkigen import build, open_environment
from pkigen.cli import main
from pkigen.clock import FIRST, LAST, going_on_from, later
from pkigen.environment.crl.upkeep import Upkeep
from pkigen.environment.ocsp.responder import OcspResponder
from pkigen.environment.revoke import refresh_crl, revoke
from pkigen.lab.timing import LabClock

_PROFILE = {
    "name": "dates",
    "base_url": "http://127.0.0.1:8080",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {"subject": {"CN": "R"}, "crl": {"delta": "1d"}}},
    "certificates": {"a": {"issuer": "root", "subject": {"CN": "a.test"}}},
    "negatives": [{"of": "a", "faults": ["ocsp-stale", "ocsp-future", "crl-not-yet-valid"]}],
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(_PROFILE, tmp_path_factory.mktemp("dates")).folder


@pytest.fixture
def env(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "dates")


def _crl(env: Path) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl((env / "authorities/root/root.crl").read_bytes())


@pytest.mark.parametrize("at", [FIRST, LAST - timedelta(days=1), LAST], ids=str)
def test_crls_of_the_first_and_last_dates_are_published(env: Path, at: datetime) -> None:
    refresh_crl(env, at=at)
    crl = _crl(env)
    assert crl.last_update_utc == at
    assert crl.next_update_utc == later(at, 7 * 86_400)


@pytest.mark.parametrize("at", [FIRST, LAST], ids=str)
def test_revocations_of_the_first_and_last_dates_are_published(env: Path, at: datetime) -> None:
    assert revoke(env, ["a"], at=at).changed == ("certificates/a",)
    assert [entry.revocation_date_utc for entry in _crl(env)] == [at]
    assert open_environment(env)["a"].data["revoked"]["at"] == f"{at:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    "date", ["9999-12-31T23:59:59-12:00", "10000-01-01", "1949-12-31", "+8000y", "2026-02-30", "0001-01-01"]
)
@pytest.mark.parametrize("command", [("refresh-crl",), ("revoke", "a"), ("revoke", "a", "--invalid-since")])
def test_other_dates_are_rejected_before_anything_changes(
    env: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], date: str
) -> None:
    before = {path: path.read_bytes() for path in env.rglob("*") if path.is_file()}
    name, *rest = command
    arguments = [*rest, date] if rest[-1:] == ["--invalid-since"] else [*rest, "--at", date]
    assert main([name, str(env), *arguments]) == 2
    assert "bug" not in capsys.readouterr().err
    assert {path: path.read_bytes() for path in env.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("at", [LAST - timedelta(hours=1), LAST], ids=str)
def test_a_server_at_the_last_date_publishes_each_crl_once(env: Path, at: datetime) -> None:
    upkeep = Upkeep(env, lambda: at, pytest.fail)
    assert {crl.authority for crl in upkeep.run()} >= {"root"}
    assert upkeep.run() == []


def test_ocsp_responses_at_the_last_date_end_with_it(env: Path) -> None:
    manifest = open_environment(env).manifest
    responder = OcspResponder(env, lambda: manifest, lambda: LAST - timedelta(minutes=1))
    assert (
        responder.respond_about("root", int(open_environment(env)["a"].data["serial"], 16)).next_update
        == LAST
    )


def test_clocks_stop_at_the_last_second() -> None:
    assert later(LAST - timedelta(seconds=1), 5) == LAST
    assert later(datetime(2026, 1, 1, tzinfo=UTC), -5) == datetime(2025, 12, 31, 23, 59, 55, tzinfo=UTC)
    assert going_on_from(LAST)() == LAST
    assert LabClock(LAST - datetime.now(UTC) + timedelta(days=1))() == LAST
