"""Revocation by command: recorded, and in the CRL and manifest, when the command returns."""

from __future__ import annotations

import json
import os
import random
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.revoke import refresh_crl, revoke, unrevoke
from pkigen.errors import InputError, PkigenError
from pkigen.profile import Profile, load
from pkigen.store import Store
from tests.environment import kill

_NAMES = ("root", "issuing", "other")


def _profile(folder: Path, **crl: object) -> Profile:
    document = {
        "name": "env",
        "defaults": {"key": "ec-p256"},
        "authorities": {
            "root": {"subject": {"CN": "Root"}},
            "issuing": {"issuer": "root", "subject": {"CN": "Issuing"}, "crl": {"valid": "7d", **crl}},
            "other": {"issuer": "root", "subject": {"CN": "Other"}, "passphrase": "open sesame"},
        },
        "certificates": {
            "host-{1..4}": {"issuer": "issuing"},
            "gone": {"issuer": "issuing", "revoked": "superseded"},
            "closed": {"issuer": "other"},
            "alone": {"issuer": "self"},
        },
    }
    path = folder / "env.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return load(path)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return _profile(tmp_path)


@pytest.fixture
def env(profile: Profile, tmp_path: Path) -> Path:
    return build(profile, tmp_path).folder


def _crl(folder: Path, name: str = "issuing") -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl((folder / "www" / "crl" / f"{name}.crl").read_bytes())


def _number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _serial(folder: Path, name: str) -> int:
    data = (folder / "certificates" / name / f"{name}.crt").read_bytes()
    return x509.load_pem_x509_certificate(data).serial_number


def _entry(folder: Path, name: str) -> x509.RevokedCertificate | None:
    return _crl(folder).get_revoked_certificate_by_serial_number(_serial(folder, name))


def _case(folder: Path, name: str) -> dict[str, Any]:
    cases = json.loads((folder / "manifest.json").read_bytes())["cases"]
    case_entry: dict[str, Any] = next(case for case in cases if case["name"] == name)
    return case_entry


def test_a_crl_entry_has_reason_date_and_invalidity_date(env: Path) -> None:
    at, since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)
    done = revoke(env, ["host-1"], reason="keyCompromise", at=at, invalid_since=since)
    entry = _entry(env, "host-1")
    assert entry is not None
    assert entry.revocation_date_utc == at
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value == "keyCompromise"
    assert entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc == since
    assert done.changed == ("certificates/host-1",)
    assert [crl.number for crl in done.crls] == [_number(_crl(env))] == [2]


def test_a_revocation_updates_the_manifest_as_a_build_would(env: Path, profile: Profile) -> None:
    revoke(env, ["host-1"], reason="keyCompromise")
    revoke(env, ["host-2"], reason="certificateHold")
    unrevoke(env, ["host-2"])
    after_command = (env / "manifest.json").read_bytes()
    assert _case(env, "host-1")["verdict"]["stage"] == "revocation"
    assert _case(env, "host-2")["revoked"] is None
    assert _case(env, "host-2")["verdict"]["expected"] == "accept"
    assert build(profile, env.parent).summary.up_to_date
    assert (env / "manifest.json").read_bytes() == after_command


def test_certificates_below_a_revoked_authority_must_be_rejected(env: Path, profile: Profile) -> None:
    revoke(env, ["issuing"], reason="cACompromise")
    verdict = _case(env, "host-1")["verdict"]
    assert (verdict["expected"], verdict["stage"]) == ("reject", "revocation")
    assert build(profile, env.parent).summary.up_to_date
    assert _case(env, "host-1")["verdict"] == verdict


def test_a_build_keeps_what_a_command_revoked(env: Path, profile: Profile) -> None:
    revoke(env, ["host-1"], reason="keyCompromise")
    build(profile, env.parent, BuildOptions(at=datetime.now(UTC) + timedelta(days=7)))
    assert _entry(env, "host-1") is not None


def test_revoking_needs_no_profile(env: Path) -> None:
    (env.parent / "env.yaml").unlink()
    revoke(env, ["host-3"])
    assert _entry(env, "host-3") is not None


def test_an_existing_revocation_stays_and_is_reported(env: Path) -> None:
    revoke(env, ["host-1"], reason="keyCompromise")
    before = _number(_crl(env))
    again = revoke(env, ["host-1"], reason="superseded")
    assert again.changed == ()
    assert "keyCompromise" in again.notes[0]
    assert _number(_crl(env)) == before


def test_a_hold_becomes_a_revocation(env: Path) -> None:
    revoke(env, ["host-1"], reason="certificateHold")
    revoke(env, ["host-1"], reason="keyCompromise")
    entry = _entry(env, "host-1")
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value == "keyCompromise"


def test_only_a_hold_can_be_lifted_without_force(env: Path) -> None:
    revoke(env, ["host-1"], reason="keyCompromise")
    with pytest.raises(InputError, match="--force"):
        unrevoke(env, ["host-1"])
    assert _entry(env, "host-1") is not None
    unrevoke(env, ["host-1"], force=True)
    assert _entry(env, "host-1") is None


def test_a_revocation_in_the_profile_cannot_be_removed_by_command(env: Path) -> None:
    with pytest.raises(InputError, match="is revoked in the profile"):
        unrevoke(env, ["gone"], force=True)


@pytest.mark.parametrize(
    ("name", "words"),
    [("host-9", "did you mean 'host-"), ("alone", "self-signed"), ("closed", "--passphrase-file")],
)
def test_a_rejected_revocation_changes_nothing(env: Path, name: str, words: str) -> None:
    before = {path: path.read_bytes() for path in env.glob("www/crl/*")}
    with pytest.raises(InputError, match=words):
        revoke(env, ["host-1", name])
    assert {path: path.read_bytes() for path in env.glob("www/crl/*")} == before
    with Store.open(env, write=False) as store:
        assert store.index.revocations_of("certificates/host-1") == []


def test_a_passphrase_decrypts_an_authoritys_key(env: Path) -> None:
    revoke(env, ["closed"], passphrases=[b"wrong", b"open sesame"])
    assert len(_crl(env, "other")) == 1


def test_a_former_certificate_is_revoked_by_its_serial_number(env: Path, profile: Profile) -> None:
    former = _serial(env, "host-1")
    build(profile, env.parent, BuildOptions(renew=frozenset({"certificates/host-1"})))
    revoke(env, ["host-1"], reason="superseded", serial=former)
    assert _entry(env, "host-1") is None
    assert _crl(env).get_revoked_certificate_by_serial_number(former) is not None
    with pytest.raises(InputError, match="never had"):
        revoke(env, ["host-1"], serial=12345)


def test_the_bundle_contains_the_current_crl_of_every_authority(env: Path) -> None:
    revoke(env, ["host-1"])
    blocks = (env / "crls.pem").read_text().split("-----END X509 CRL-----\n")[:-1]
    crls = [x509.load_pem_x509_crl(f"{one}-----END X509 CRL-----\n".encode()) for one in blocks]
    assert crls == [_crl(env, name) for name in ("issuing", "other", "root")]
    assert crls[0].get_revoked_certificate_by_serial_number(_serial(env, "host-1")) is not None


def test_a_certificate_that_was_pruned_can_be_revoked(env: Path, profile: Profile) -> None:
    former = _serial(env, "host-1")
    build(profile, env.parent, BuildOptions(renew=frozenset({"certificates/host-1"})))
    current = _serial(env, "host-1")
    earlier = {one["serial"] for one in _case(env, "host-1")["earlier_certificates"]}
    assert {int(serial, 16) for serial in earlier} == {former}
    text = (env.parent / "env.yaml").read_text(encoding="utf-8").replace("host-{1..4}", "host-{2..4}")
    (env.parent / "env.yaml").write_text(text, encoding="utf-8")
    build(load(env.parent / "env.yaml"), env.parent, BuildOptions(prune=True))
    revoke(env, ["host-1"])
    assert _crl(env).get_revoked_certificate_by_serial_number(current) is not None
    assert _crl(env).get_revoked_certificate_by_serial_number(former) is None
    revoke(env, ["certificates/host-1"], serial=former)
    assert _crl(env).get_revoked_certificate_by_serial_number(former) is not None


def test_a_serial_number_that_was_issued_elsewhere_is_revoked_by_its_issuer(env: Path) -> None:
    done = revoke(env, issued_by="issuing", serial=0x1A2B, reason="certificateHold")
    assert done.changed == ("authorities/issuing/1a2b",)
    assert _crl(env).get_revoked_certificate_by_serial_number(0x1A2B) is not None
    unrevoke(env, issued_by="issuing", serial=0x1A2B)
    assert _crl(env).get_revoked_certificate_by_serial_number(0x1A2B) is None
    revoke(env, issued_by="issuing", serial=_serial(env, "host-2"))
    assert _case(env, "host-2")["verdict"]["stage"] == "revocation"


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({}, "specify a NAME, or --issued-by"),
        ({"issued_by": "issuing"}, "by --serial HEX"),
        ({"issued_by": "issuing", "serial": 1, "names": ["host-1"]}, "without a NAME"),
        ({"issued_by": "nobody", "serial": 1}, "no such entity"),
        ({"serial": 1, "names": ["host-1", "host-2"]}, "exactly one NAME"),
    ],
)
def test_an_incomplete_selection_is_an_error(env: Path, selection: dict[str, Any], words: str) -> None:
    for command in (revoke, unrevoke):
        with pytest.raises(InputError, match=words):
            command(env, **selection)


def test_refresh_publishes_the_named_crls_or_all_of_them(env: Path) -> None:
    done = refresh_crl(env, ["issuing"])
    assert [(crl.authority, crl.number) for crl in done.crls] == [("issuing", 2)]
    done = refresh_crl(env, passphrases=[b"open sesame"])
    assert {crl.authority for crl in done.crls} == set(_NAMES)


def test_the_this_update_of_a_refreshed_crl_can_be_set(env: Path) -> None:
    at = datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)
    refresh_crl(env, ["issuing"], at=at)
    crl = _crl(env)
    assert crl.last_update_utc == at
    assert crl.next_update_utc == at + timedelta(days=7)


def test_a_crl_is_not_older_than_its_entries(env: Path) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    revoke(env, ["host-1"], at=at)
    assert _crl(env).last_update_utc == at


def test_revoking_creates_no_environment(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a built environment"):
        revoke(tmp_path / "nowhere", ["host-1"])
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_crl_numbers_only_increase_when_commands_are_killed(tmp_path: Path) -> None:
    env = build(_profile(tmp_path, delta="1d"), tmp_path).folder
    body = (
        "import sys\nfrom pathlib import Path\nfrom pkigen.environment.revoke import revoke, unrevoke\n"
        "revoke(Path(sys.argv[1]), ['host-1'], reason='certificateHold')\n"
        "unrevoke(Path(sys.argv[1]), ['host-1'])\n"
    )
    with kill.program(body) as revoke_and_release:
        for _ in range(2):
            exit_code, events = revoke_and_release(env, kill_at=0)
            assert exit_code == 0
        numbers = [_number(_crl(env))]
        for kill_at in random.Random(4).sample(range(1, events + 1), 12):
            assert revoke_and_release(env, kill_at=kill_at)[0] == -signal.SIGKILL
            numbers.append(_number(_crl(env)))
            revoke(env, ["host-1"], reason="certificateHold")
            assert _entry(env, "host-1") is not None
            numbers.append(_number(_crl(env)))
            unrevoke(env, ["host-1"])
    assert numbers == sorted(numbers)
    assert len(set(numbers)) > 12
    assert refresh_crl(env, ["issuing"]).crls[0].number > numbers[-1]


def test_a_command_waits_for_another_writer(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkigen.environment.revoke._LOCK_TIMEOUT", 0.05)
    with Store.open(env, write=True), pytest.raises(PkigenError, match="another pkigen"):
        revoke(env, ["host-1"])
