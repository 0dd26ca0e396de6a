"""Typed extensions and validity without an end: what they refuse, and at which place."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from pkigen.profile import OMIT, CertificateSpec
from pkigen.profile.checks import _check_extensions
from pkigen.profile.specifications import TYPED_EXTENSIONS
from tests.profile.documents import FIRST, refused, refused_certificate, the_certificate

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    "field",
    [
        "no_rev_avail: none",
        "scts: 0",
        "scts: 21",
        "scts: []",
        "scts: ['']",
        "scts: [{log: a, at: soon}]",
        "scts: [{log: a, at: 1969-12-31}]",
        "scts: [{log: a, at: -9000y}]",
        "scts: [{at: -1h}]",
        "windows_sid: S-1-5",
        "windows_sid: S-1-5-4294967296",
        "windows_sid: [S-1-5-21]",
        "certificate_template: WebServer",
        "certificate_template: {major: 1}",
        "certificate_template: {oid: 1.2.3, minor: 1}",
        "certificate_template: {oid: 1.2.3, major: 4294967296}",
        "certificate_template_name: '🔑'",
        "certificate_template_name: 'Key🔑'",
        "modbus_role: {a: b}",
        "valid: never",
        "valid: {from: never, for: 1d}",
    ],
)
def test_an_invalid_value_is_an_error_at_its_line(tmp_path: Path, field: str) -> None:
    errors = refused_certificate(tmp_path, field)
    assert errors.startswith(f"test.yaml:{FIRST}:"), errors
    assert field.partition(":")[0] in errors, errors


@pytest.mark.parametrize("field", ["ocsp_no_check", "must_staple"])
def test_a_raw_extension_beside_its_typed_field_is_an_error(field: str) -> None:
    oid = next(oid for oid, name in TYPED_EXTENSIONS.items() if name == field)
    raw = [{"oid": oid, "der": "0500"}]
    spec = CertificateSpec.model_validate(
        {"issuer": "self", "subject": {"CN": "a.test"}, field: "true", "extensions": raw}
    )
    ((_, message, _),) = _check_extensions(spec)
    assert f"by '{field}'; remove one" in message


def test_never_is_the_time_of_certificates_without_a_well_defined_end(tmp_path: Path) -> None:
    _, end = the_certificate(tmp_path, "valid: {from: 2026-01-01, to: never}").valid.resolve(NOW)
    assert end == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_no_rev_avail_is_for_end_entities_only(tmp_path: Path) -> None:
    errors = refused(tmp_path, "name: test\nauthorities:\n  root: {no_rev_avail: true}\n")
    assert errors.startswith("test.yaml:3:24: authorities.root.no_rev_avail: only end-entity certificates")


def test_an_authority_without_crl_revokes_nothing_and_lists_no_revocations_of_others(tmp_path: Path) -> None:
    errors = refused(
        tmp_path,
        """\
        name: test
        authorities:
          root: {crl: none}
          sub: {issuer: root, revoked: superseded}
          other: {crl: {issuer: root}}
        certificates:
          one: {issuer: root, subject: {CN: one.test}, revoked: superseded}
        """,
    )
    assert "test.yaml:4:32: authorities.sub.revoked: 'root' publishes no CRL (crl: none)" in errors
    assert "test.yaml:5:25: authorities.other.crl.issuer: 'root' publishes no CRL (crl: none)" in errors
    assert "test.yaml:7:57: certificates.one.revoked: 'root' publishes no CRL (crl: none)" in errors
    assert len(errors.splitlines()) == 3


def test_a_number_of_timestamps_names_as_many_logs(tmp_path: Path) -> None:
    three, named = the_certificate(tmp_path, "scts: 3").scts, the_certificate(tmp_path, "scts: [log-1]").scts
    assert three is not None
    assert three is not OMIT
    assert named is not None
    assert named is not OMIT
    assert [one.log for one in three.logs] == [sha256(f"log-{n}".encode()).digest() for n in (1, 2, 3)]
    assert named.logs == three.logs[:1]


@pytest.mark.parametrize(
    ("field", "skip", "critical"),
    [("2", 2, True), ("{skip: 2}", 2, True), ("{skip: 0, critical: false}", 0, False)],
)
def test_inhibit_any_policy_is_a_number_or_a_mapping(
    tmp_path: Path, field: str, skip: int, critical: bool
) -> None:
    value = the_certificate(tmp_path, f"inhibit_any_policy: {field}").inhibit_any_policy
    assert value is not None
    assert value is not OMIT
    assert (value.skip, value.critical) == (skip, critical)


@pytest.mark.parametrize("role", ["X", "Operator", "r" * 255])
def test_a_role_of_modbus_has_1_to_255_characters(tmp_path: Path, role: str) -> None:
    assert the_certificate(tmp_path, f"modbus_role: {role}").modbus_role == role
    assert "a Modbus role is a text of 1 to 255" in refused_certificate(tmp_path, f"modbus_role: {'r' * 256}")


def test_the_name_of_a_template_is_kept(tmp_path: Path) -> None:
    spec = the_certificate(tmp_path, "certificate_template_name: DomainController")
    assert spec.certificate_template_name == "DomainController"
