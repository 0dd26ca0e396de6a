"""A reissued certificate whose predecessor was revoked: the reason code decides about key and status."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkigen.environment.build.build import build
from pkigen.environment.build.dry_run import preview
from pkigen.environment.build.earlier_revocations import EarlierRevocations
from pkigen.environment.build.options import BuildOptions, BuildResult, Change
from pkigen.environment.renew import renew
from pkigen.environment.revoke import revoke, unrevoke
from pkigen.plan import plan
from pkigen.profile import load
from pkigen.store import Store


def _document() -> dict[str, Any]:
    return {
        "name": "env",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "one": {"issuer": "root"}, "two": {"issuer": "root"}},
        "certificates": {"a": {"issuer": "one"}, "b": {"issuer": "one"}},
    }


class _Lab:
    """An environment whose profile a test edits."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder, self.document, self.options = folder / "env", _document(), options
        self.path = folder / "env.yaml"

    def build(self, **options: Any) -> BuildResult:
        self.path.write_text(yaml.safe_dump(self.document), encoding="utf-8")
        return build(load(self.path), self.folder.parent, BuildOptions(**(self.options | options)))

    def edit(self, name: str = "a", **fields: Any) -> BuildResult:
        self.document["certificates"][name] |= fields
        return self.build()

    def certificate(self, name: str = "a", kind: str = "certificates") -> x509.Certificate:
        data = (self.folder / kind / name / f"{name}.crt").read_bytes()
        return x509.load_pem_x509_certificate(data)

    def key(self, name: str = "a", kind: str = "certificates") -> bytes:
        public = self.certificate(name, kind).public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def key_number(self, name: str = "a") -> int:
        planned = plan(load(self.path), datetime.now(UTC), lambda *_: 1)
        entity = next(one for one in planned.certificates() if one.name == name)
        with Store.open(self.folder, write=False) as store:
            return EarlierRevocations(store).key_number(entity)

    def entry(self, serial: int, authority: str = "one") -> x509.RevokedCertificate | None:
        crl = x509.load_der_x509_crl((self.folder / f"www/crl/{authority}.crl").read_bytes())
        return crl.get_revoked_certificate_by_serial_number(serial)


@pytest.fixture
def lab(tmp_path: Path) -> _Lab:
    made = _Lab(tmp_path)
    made.build()
    return made


def _change(result: BuildResult, name: str = "certificates/a") -> Change:
    return next(change for change in result.summary.changes if change.id == name)


@pytest.mark.parametrize("reason", ["keyCompromise", "cACompromise", "aACompromise"])
def test_after_a_compromise_the_new_certificate_has_a_new_key_and_is_valid(lab: _Lab, reason: str) -> None:
    former, key = lab.certificate().serial_number, lab.key()
    revoke(lab.folder, ["a"], reason=reason)
    result = lab.edit(san=["dns:other.test"])
    assert lab.key() != key
    assert lab.entry(lab.certificate().serial_number) is None
    assert lab.entry(former) is not None
    assert _change(result).revocation == f"revoked for {reason}: new key, and the new certificate is valid"


def test_a_superseded_certificate_is_replaced_by_a_valid_one_with_the_same_key(lab: _Lab) -> None:
    former, key = lab.certificate().serial_number, lab.key()
    revoke(lab.folder, ["a"], reason="superseded")
    result = renew(lab.folder, ["a"])
    assert lab.key() == key
    assert lab.entry(lab.certificate().serial_number) is None
    assert lab.entry(former) is not None
    assert "the new certificate is valid" in _change(result).revocation


@pytest.mark.parametrize("reason", ["certificateHold", "cessationOfOperation", "unspecified"])
def test_for_other_reasons_the_new_certificate_is_revoked_until_unrevoke(lab: _Lab, reason: str) -> None:
    former = lab.certificate().serial_number
    revoke(lab.folder, ["a"], reason=reason)
    before = lab.entry(former)
    result = lab.edit(issuer="two")
    current = lab.certificate().serial_number
    carried = lab.entry(current, "two")
    assert before is not None
    assert carried is not None
    assert carried.revocation_date_utc == before.revocation_date_utc
    assert [extension.value for extension in carried.extensions] == [one.value for one in before.extensions]
    assert reason in _change(result).revocation
    assert lab.build().summary.up_to_date
    unrevoke(lab.folder, ["a"], force=True)
    assert lab.entry(current, "two") is None
    assert lab.entry(former) is not None


def test_a_name_that_was_pruned_and_returns_does_not_escape_its_revocation(lab: _Lab) -> None:
    revoke(lab.folder, ["a"], reason="certificateHold")
    removed = lab.document["certificates"].pop("a")
    lab.build(prune=True)
    lab.document["certificates"]["a"] = removed
    result = lab.build()
    assert lab.entry(lab.certificate().serial_number) is not None
    assert "until `pkigen unrevoke`" in _change(result).revocation


def test_a_compromised_authority_gets_a_new_key_and_everything_below_it_is_reissued(lab: _Lab) -> None:
    key, leaf = lab.key("one", "authorities"), lab.key()
    revoke(lab.folder, ["one"], reason="cACompromise")
    result = renew(lab.folder, ["one"])
    assert lab.key("one", "authorities") != key
    assert lab.key() == leaf
    assert lab.certificate().serial_number != 0
    assert {change.id for change in result.summary.changes} >= {"authorities/one", "certificates/a"}
    lab.certificate().verify_directly_issued_by(lab.certificate("one", "authorities"))


def test_a_preview_announces_the_same_as_the_build(lab: _Lab) -> None:
    revoke(lab.folder, ["a"], reason="keyCompromise")
    revoke(lab.folder, ["b"], reason="certificateHold")
    for name in ("a", "b"):
        lab.document["certificates"][name]["san"] = ["dns:other.test"]
    lab.path.write_text(yaml.safe_dump(lab.document), encoding="utf-8")
    planned = preview(load(lab.path), lab.folder.parent)
    done = lab.build().summary
    assert [(one.id, one.revocation, one.new_key) for one in planned.changes] == [
        (one.id, one.revocation, one.new_key) for one in done.changes
    ]
    assert [crl.authority for crl in planned.crls] == [crl.authority for crl in done.crls]


@pytest.mark.parametrize("options", [{"seed": "x"}, {"keys": "pool"}])
def test_a_seed_or_a_pool_yields_another_key_after_each_compromise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    monkeypatch.setenv("PKIGEN_KEY_POOL", str(tmp_path / "pool"))
    lab = _Lab(tmp_path, **options)
    keys = []
    for number in range(3):
        lab.edit(san=[f"dns:{number}.test"])
        keys.append(lab.key())
        revoke(lab.folder, ["a"], reason="keyCompromise")
    assert len(set(keys)) == 3
    (lab.folder / "certificates/a/a.key").unlink()
    lab.build()
    assert lab.key() not in keys


def test_a_seed_counts_compromised_certificates_once_and_no_others(lab: _Lab) -> None:
    numbers = []
    for number, reason in enumerate(["superseded", "keyCompromise", "keyCompromise"]):
        revoke(lab.folder, ["a"], reason=reason)
        lab.edit(san=[f"dns:{number}.test"])
        numbers.append(lab.key_number())
    assert numbers == [0, 1, 2]
    assert lab.key_number("b") == 0


def test_a_hold_of_one_certificate_of_an_authority_does_not_revoke_its_cross_certificate(lab: _Lab) -> None:
    lab.document["authorities"]["three"] = {"issuer": ["one", "two"]}
    lab.build()
    serial = lab.certificate("three", "authorities").serial_number
    revoke(lab.folder, ["three"], reason="certificateHold", serial=serial)
    renew(lab.folder, ["three"])
    directory = lab.folder / "authorities/three"
    cross = x509.load_pem_x509_certificate((directory / "three.cross-two.crt").read_bytes())
    assert lab.entry(lab.certificate("three", "authorities").serial_number) is not None
    assert lab.entry(cross.serial_number, "two") is None


def test_a_revocation_is_not_mentioned_when_a_certificate_without_one_is_reissued(lab: _Lab) -> None:
    assert _change(lab.edit(san=["dns:other.test"])).revocation == ""


def test_a_compromise_by_command_replaces_the_key_although_the_profile_revokes_it_as_well(lab: _Lab) -> None:
    key = lab.key()
    revoke(lab.folder, ["a"], reason="keyCompromise")
    result = lab.edit(revoked="superseded", san=["dns:other.test"])
    assert lab.key() != key
    expected = "revoked for keyCompromise: new key, and the profile revokes the new certificate"
    assert _change(result).revocation == expected


def test_a_compromise_in_the_profile_replaces_the_key_when_the_profile_no_longer_has_it(lab: _Lab) -> None:
    lab.edit(revoked="keyCompromise")
    key = lab.key()
    del lab.document["certificates"]["a"]["revoked"]
    result = lab.edit(san=["dns:other.test"])
    assert lab.key() != key
    expected = "revoked for keyCompromise: new key, and the new certificate is valid"
    assert _change(result).revocation == expected


def test_the_profile_decides_about_a_certificate_that_it_revokes(lab: _Lab) -> None:
    key = lab.key()
    result = lab.edit(revoked="keyCompromise", san=["dns:other.test"])
    result = lab.edit(san=["dns:third.test"])
    assert lab.key() == key
    assert lab.entry(lab.certificate().serial_number) is not None
    assert _change(result).revocation == "revoked in the profile: the profile revokes the new certificate"


def test_a_former_certificate_stays_revoked_when_the_profile_no_longer_revokes_the_name(lab: _Lab) -> None:
    lab.edit(revoked="superseded")
    former = lab.certificate().serial_number
    lab.edit(san=["dns:other.test"])
    del lab.document["certificates"]["a"]["revoked"]
    lab.build()
    assert lab.entry(former) is not None
    assert lab.entry(lab.certificate().serial_number) is None


def test_a_revocation_by_command_outlives_the_line_in_the_profile(lab: _Lab) -> None:
    lab.edit(revoked="keyCompromise")
    done = revoke(lab.folder, ["a"])
    assert "it now stays revoked" in done.notes[0]
    del lab.document["certificates"]["a"]["revoked"]
    lab.build()
    assert lab.entry(lab.certificate().serial_number) is not None
