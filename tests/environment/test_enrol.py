"""Certificates for the requests of devices: what they contain, and that builds keep them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.clock import utc_now
from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.enrol import Cause, Enrolled, Enroller, Rejected, read_request
from pkigen.environment.renew import renew
from pkigen.environment.revoke import revoke
from pkigen.environment.sign import sign
from pkigen.errors import InputError
from pkigen.faults import parse_faults
from pkigen.profile import load
from pkigen.store import EnvironmentInUse, Store
from pkigen.store.lock import Lock
from tests.certification_requests import request
from tests.tools import run

PROFILE = """
name: lab
defaults: {key: ec-p256, subject: {O: Contoso}, valid: 47d}
authorities: {root: {}, issuing: {issuer: root}}
certificates: {console: {issuer: issuing, subject: {CN: console.contoso.test}}}
enrolment:
  sensors:
    issuer: issuing
    from_request: [subject.CN, san.dns]
    names: ["*.contoso.test"]
  strict:
    issuer: issuing
    requirements: [rsa-only.yaml]
"""
_GAUGES = ["certificates/gauge-1", "certificates/gauge-2"]
_RSA_ONLY = """
name: rsa-only
title: RSA keys
source: {title: the test, date: 2026-01-01}
requirements:
  - {id: key, level: rejected, says: The key is an RSA key., demand: {public_key: {families: [rsa]}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rsa-only.yaml").write_text(_RSA_ONLY)
    (tmp_path / "lab.yaml").write_text(PROFILE)
    return build(load(tmp_path / "lab.yaml"), tmp_path / "out", BuildOptions()).folder


def _enrolled(folder: Path) -> dict[str, dict[str, object]]:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    return {one["name"]: one for one in manifest.get("enrolled", ())}


def _subject(enrolled: Enrolled) -> str:
    return x509.load_der_x509_certificate(enrolled.certificate).subject.rfc4514_string()


def test_openssl_accepts_the_certificate_of_a_request(folder: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signed = sign(folder, request("d.contoso.test", ["d.contoso.test", "10.0.0.7"], key))
    certificate = x509.load_der_x509_certificate(signed.certificate)
    assert certificate.public_key() == key.public_key()
    path = folder / "certificates/d.contoso.test"
    assert sorted(one.name for one in path.iterdir()) == ["chain.pem", "d.contoso.test.crt"]
    run(
        *("openssl", "verify", "-x509_strict", "-CAfile", folder / "trust.pem", "-verify_ip", "10.0.0.7"),
        *("-untrusted", path / "chain.pem", path / "d.contoso.test.crt"),
    )


def test_without_a_template_names_come_from_the_request_and_the_rest_from_the_defaults(folder: Path) -> None:
    signed = sign(folder, request("d.contoso.test", ["other.contoso.test"]))
    certificate = x509.load_der_x509_certificate(signed.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert _subject(signed) == "CN=d.contoso.test"
    assert names.get_values_for_type(x509.DNSName) == ["other.contoso.test"]
    assert (signed.not_after - signed.not_before).days == 47


def test_a_template_grants_only_the_parts_that_it_lists(folder: Path) -> None:
    signed = sign(folder, request("d.contoso.test", ["d.contoso.test", "10.0.0.7"]), template="sensors")
    certificate = x509.load_der_x509_certificate(signed.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.DNSName("d.contoso.test")]
    assert _subject(signed) == "CN=d.contoso.test,O=Contoso"


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_requests_are_read_in_each_encoding(folder: Path, encoding: Encoding) -> None:
    assert sign(folder, request(encoding=encoding)).name == "device.contoso.test"
    new = request(encoding=Encoding.PEM).replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST")
    assert sign(folder, new).name == "device.contoso.test-2"


def _rejection(folder: Path, data: bytes, template: str = "") -> Rejected:
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(Rejected) as caught:
        sign(folder, data, template=template)
    assert (folder / "manifest.json").read_bytes() == before
    assert not [one for one in (folder / "certificates").iterdir() if one.name != "console"]
    with Store.open(folder, write=False) as store:
        assert not store.index.enrolled.ids()
    return caught.value


def test_a_request_without_proof_of_possession_is_rejected(folder: Path) -> None:
    data = bytearray(request(encoding=Encoding.DER))
    data[-1] ^= 1
    assert _rejection(folder, bytes(data)).cause is Cause.POSSESSION


def test_a_name_that_the_template_does_not_allow_is_rejected(folder: Path) -> None:
    rejected = _rejection(folder, request("d.contoso.test", ["d.evil.test"]), "sensors")
    assert rejected.cause is Cause.NAME
    assert "'d.evil.test' is not allowed; the template allows *.contoso.test" in str(rejected)


def test_a_rejection_quotes_names_without_control_characters(folder: Path) -> None:
    data = request("d.contoso.test", ["d.evil.test"], encoding=Encoding.DER)
    forged = read_request(data.replace(b"d.evil.test", b"d\x1b[2Jl.test"))
    enroller = Enroller(folder)
    with pytest.raises(Rejected) as caught:
        enroller.issue(enroller.templates["sensors"], forged, protocol="test", proved=True)
    assert str(caught.value).isprintable()


def test_a_key_that_violates_the_requirement_set_is_rejected(folder: Path) -> None:
    rejected = _rejection(folder, request(), "strict")
    assert rejected.cause is Cause.KEY
    assert "rsa-only requires: The key is an RSA key." in str(rejected)
    good = rsa.generate_private_key(65537, 2048)
    assert sign(folder, request(key=good), template="strict").name == "device.contoso.test"


def test_a_file_that_is_no_request_is_an_input_error(folder: Path) -> None:
    with pytest.raises(InputError, match="is not a certification request"):
        sign(folder, b"hello")


def test_builds_keep_enrolled_certificates_without_their_template(folder: Path, tmp_path: Path) -> None:
    sign(folder, request("d.contoso.test"), template="sensors")
    before = {path: path.read_bytes() for path in (folder / "certificates/d.contoso.test").iterdir()}
    (tmp_path / "lab.yaml").write_text(PROFILE.partition("enrolment:")[0])
    for options in (BuildOptions(prune=True), BuildOptions(rekey=True, replace_root=True)):
        result = build(load(tmp_path / "lab.yaml"), tmp_path / "out", options)
        assert {path: path.read_bytes() for path in before} == before
        assert list(_enrolled(folder)) == ["d.contoso.test"]
    assert any("requested d.contoso.test from a CA whose" in note for note in result.summary.notes)
    assert _enrolled(folder)["d.contoso.test"]["verdict"]["expected"] == "reject"  # type: ignore[index]


def test_a_profile_cannot_take_the_name_of_an_enrolled_certificate(folder: Path, tmp_path: Path) -> None:
    sign(folder, request(), name="gauge")
    (tmp_path / "lab.yaml").write_text(PROFILE.replace("console:", "gauge:"))
    with pytest.raises(InputError, match="a device requested a certificate that is called 'gauge'"):
        build(load(tmp_path / "lab.yaml"), tmp_path / "out", BuildOptions())


def test_a_name_that_is_already_used_is_rejected(folder: Path) -> None:
    with pytest.raises(InputError, match="is called 'Console'"):
        sign(folder, request(), name="Console")
    with pytest.raises(InputError, match="cannot be a name"):
        sign(folder, request(), name="../evil")


@pytest.mark.parametrize("name", ["../../etc", "a/b", "*", "con", "", "é" * 30])
def test_no_common_name_leads_outside_the_environment(folder: Path, name: str) -> None:
    signed = sign(folder, request(name, ["d.contoso.test"]))
    assert (folder / "certificates" / signed.name / f"{signed.name}.crt").resolve().is_relative_to(folder)


def test_a_revoked_enrolled_certificate_is_in_the_crl(folder: Path) -> None:
    signed = sign(folder, request("d.contoso.test"))
    revoke(folder, ["d.contoso.test"], reason="keyCompromise")
    crl = x509.load_der_x509_crl((folder / "www/crl/issuing.crl").read_bytes())
    assert crl.get_revoked_certificate_by_serial_number(signed.serial) is not None
    assert _enrolled(folder)["d.contoso.test"]["revoked"]["reason"] == "keyCompromise"  # type: ignore[index]


def test_renewal_issues_a_new_certificate_for_the_recorded_request(folder: Path) -> None:
    first = sign(folder, request("d.contoso.test"), template="sensors")
    renew(folder, ["d.contoso.test"])
    again = Enroller(folder).find(name="d.contoso.test")
    assert again is not None
    assert again.serial != first.serial
    assert _subject(again) == _subject(first)
    earlier = _enrolled(folder)["d.contoso.test"]["earlier_certificates"]
    assert [int(one["serial"], 16) for one in earlier] == [first.serial]  # type: ignore[attr-defined]


def _without_request(folder: Path, name: str) -> Enrolled:
    """Issue a certificate as CMP does for its own form of request, which cannot be stored as PKCS#10."""
    enroller, requested = Enroller(folder), replace(read_request(request(f"{name}.contoso.test")), der=b"")
    template = enroller.templates["sensors"]
    return enroller.issue(template, requested, protocol="cmp", name=name, proved=True)


@pytest.mark.parametrize("selection", [{"names": ["gauge-*"]}, {"names": [], "expiring": _GAUGES}])
def test_a_selection_skips_certificates_that_only_the_device_can_renew(
    folder: Path, selection: dict[str, list[str]]
) -> None:
    first = _without_request(folder, "gauge-1")
    second = sign(folder, request("g2.contoso.test"), name="gauge-2")
    result = renew(folder, **selection)  # type: ignore[arg-type]
    assert "gauge-1 is not renewed: gauge-1 was requested through CMP; the device must renew it" in (
        result.summary.notes
    )
    enroller = Enroller(folder)
    assert enroller.find(name="gauge-1") == first
    assert enroller.find(name="gauge-2") != second


def test_a_named_certificate_that_only_the_device_can_renew_is_an_error(folder: Path) -> None:
    _without_request(folder, "gauge-1")
    other = sign(folder, request("g2.contoso.test"), name="gauge-0")
    with pytest.raises(InputError, match="the device must renew it"):
        renew(folder, ["gauge-*", "gauge-1"])
    assert Enroller(folder).find(name="gauge-0") == other


def test_a_revoked_authority_above_is_in_the_expected_verdict(folder: Path, tmp_path: Path) -> None:
    expected = {
        "expected": "reject",
        "stage": "revocation",
        "reason": "the authority issuing, above it, is revoked",
    }
    signed = sign(folder, request("d.contoso.test"))
    assert _enrolled(folder)[signed.name]["verdict"]["expected"] == "accept"  # type: ignore[index]
    revoke(folder, ["issuing"])
    assert _enrolled(folder)[signed.name]["verdict"] == expected
    build(load(tmp_path / "lab.yaml"), tmp_path / "out")
    assert _enrolled(folder)[signed.name]["verdict"] == expected


def test_a_renewed_certificate_keeps_its_fault(folder: Path) -> None:
    signed = sign(folder, request(), faults=[*parse_faults({"expired": {"by": "3d"}})])
    renew(folder, [signed.name])
    again = Enroller(folder).find(name=signed.name)
    assert again is not None
    assert again.serial != signed.serial
    assert again.not_after - signed.not_after < timedelta(hours=1)
    assert _enrolled(folder)[signed.name]["verdict"]["reason"] == (  # type: ignore[index]
        "The certificate expired 3 days ago."
    )


def test_a_certificate_that_the_device_renews_loses_a_fault_of_the_last_request(folder: Path) -> None:
    signed = sign(folder, request(), faults=parse_faults("expired"))
    enroller = Enroller(folder)
    template = enroller.profile.template("", signed.issuer)
    enroller.issue(template, read_request(request()), protocol="est", renewal_of=signed.name)
    again = enroller.renew(signed.name)
    assert again.not_after > utc_now()


def test_a_fault_is_in_the_issued_certificate_and_in_the_manifest(folder: Path) -> None:
    signed = sign(folder, request(), faults=parse_faults("expired"))
    assert signed.not_after < x509.load_der_x509_certificate(signed.chain[0]).not_valid_after_utc
    assert _enrolled(folder)[signed.name]["verdict"] == {
        "expected": "reject",
        "stage": "path",
        "reason": "The certificate expired 1 day ago.",
    }


def test_a_busy_environment_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkigen.environment.enrol._LOCK_TIMEOUT", 0)
    with Store.open(folder, write=True), pytest.raises(EnvironmentInUse):
        sign(folder, request())
    assert sign(folder, request()).name == "device.contoso.test"


def test_a_build_waits_for_a_server_that_issues(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, results = Event(), list[object]()

    class ReportingLock(Lock):
        def __init__(self, *arguments: Any) -> None:
            waits.set()
            super().__init__(*arguments)

    thread = Thread(target=lambda: results.append(build(load(tmp_path / "lab.yaml"), tmp_path / "out")))
    with Store.open(folder, write=True):
        monkeypatch.setattr("pkigen.store.store.Lock", ReportingLock)
        thread.start()
        assert waits.wait(60)
    thread.join()
    assert len(results) == 1


def test_requests_at_the_same_time_get_different_names_and_serial_numbers(folder: Path) -> None:
    enroller, template = Enroller(folder), load(folder.parent.parent / "lab.yaml").template("sensors")
    signed = list[Enrolled]()

    def enrol() -> None:
        signed.append(enroller.issue(template, read_request(request()), protocol="test", list_now=False))

    threads = [Thread(target=enrol) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.name for one in signed}) == len({one.serial for one in signed}) == 8
    assert not _enrolled(folder)
    enroller.list_in_manifest()
    assert _enrolled(folder).keys() == {one.name for one in signed}
